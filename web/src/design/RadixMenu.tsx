import * as DropdownMenu from '@radix-ui/react-dropdown-menu';
import { Icon } from './Icon';
import type { Hung, MenuItem } from './menu';

/** The menu itself. Not modal: Radix would lock scrolling by a <style>, which the page's policy forbids. */
export default function RadixMenu({ trigger, content }: Hung<readonly MenuItem[]>) {
  const icons = content.some(({ icon }) => icon);
  return (
    <DropdownMenu.Root defaultOpen modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal container={document.querySelector('main')}>
        <DropdownMenu.Content
          align="end"
          sideOffset={6}
          collisionPadding={8}
          className="z-50 min-w-48 animate-appear rounded-md border border-line bg-surface p-1 shadow-float"
        >
          {content.map((item) => (
            <DropdownMenu.Item
              key={item.label}
              {...(item.chosen !== undefined && { role: 'menuitemradio', 'aria-checked': item.chosen })}
              onSelect={item.onSelect}
              className="flex h-9 cursor-pointer items-center gap-2.5 rounded-sm px-2.5 text-sm outline-none data-highlighted:bg-hover"
            >
              {item.icon && <Icon name={item.icon} className="size-4 text-soft" />}
              {icons && !item.icon && <span className="size-4" />}
              <span className="grow">{item.label}</span>
              {item.chosen && <Icon name="check" className="size-4 text-accent" />}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
