import { lazy, Suspense, useState, type ComponentProps, type ReactElement } from 'react';
import { IconButton, WordButton } from './controls';
import type { IconName } from './Icon';

/** One line of a menu. */
export interface MenuItem {
  label: string;
  icon?: IconName;
  /** Given to each of several of which one is chosen: whether it is this one. */
  chosen?: boolean;
  onSelect: () => void;
}

/** What the pop-up part of a menu or pop-over is given: the button it hangs on; it opens at once. */
export interface Hung<Content> {
  trigger: ReactElement;
  content: Content;
}

const RadixMenu = lazy(() => import('./RadixMenu'));
const RadixPopover = lazy(() => import('./RadixPopover'));

interface Props<Content> {
  icon: IconName;
  label: string;
  content: Content;
  /** Whether the button has its word beside the icon, where there is room. */
  worded?: boolean;
  /** What else the button is given. */
  button?: Pick<ComponentProps<'button'>, 'className' | 'tabIndex'>;
}

/** A button that opens a menu. What shows the menu is loaded when it is first wanted. */
export function Menu({ content, ...trigger }: Props<readonly MenuItem[]>) {
  return <OnDemand {...trigger}>{(trigger) => <RadixMenu trigger={trigger} content={content} />}</OnDemand>;
}

/** A button that opens a small surface beside it. */
export function Popover({ content, ...trigger }: Props<ReactElement>) {
  return (
    <OnDemand {...trigger}>{(trigger) => <RadixPopover trigger={trigger} content={content} />}</OnDemand>
  );
}

function OnDemand({
  icon,
  label,
  worded = false,
  button: given,
  children,
}: Omit<Props<unknown>, 'content'> & { children: (trigger: ReactElement) => ReactElement }) {
  const [wanted, setWanted] = useState(false);
  const Trigger = worded ? WordButton : IconButton;
  const button = (
    <Trigger
      icon={icon}
      label={label}
      aria-haspopup="true"
      aria-expanded={false}
      onClick={() => setWanted(true)}
      {...given}
    />
  );
  if (!wanted) return button;
  return <Suspense fallback={button}>{children(<Trigger icon={icon} label={label} {...given} />)}</Suspense>;
}
