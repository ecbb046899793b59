import * as Popover from '@radix-ui/react-popover';
import type { ReactElement } from 'react';
import type { Hung } from './menu';

export default function RadixPopover({ trigger, content }: Hung<ReactElement>) {
  return (
    <Popover.Root defaultOpen>
      <Popover.Trigger asChild>{trigger}</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          sideOffset={6}
          collisionPadding={8}
          className="z-50 animate-appear rounded-md border border-line bg-surface p-3 shadow-float"
        >
          {content}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
