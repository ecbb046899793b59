import { Icon, type IconName } from '../design/Icon';
import { formatNumber } from '../text';
import { follow } from './router';

interface Props {
  href: string;
  icon: IconName;
  label: string;
  count: number;
  late?: boolean;
  current: boolean;
  className?: string;
  onFollow?: () => void;
}

/** A link of the navigation, with how many tasks are behind it. */
export function NavLink({ href, icon, label, count, late, current, className = '', onFollow }: Props) {
  return (
    <a
      href={href}
      onClick={(event) => {
        follow(event);
        onFollow?.();
      }}
      aria-current={current ? 'page' : undefined}
      aria-label={count > 0 ? `${label} ${formatNumber(count)}` : undefined} // Orca reads the parts as one word
      className={`flex h-9 items-center gap-3 rounded-md px-3 text-soft transition-colors hover:bg-hover hover:text-ink aria-[current]:bg-accent-wash aria-[current]:font-medium aria-[current]:text-accent ${className}`}
    >
      <Icon name={icon} />
      <span className="grow truncate">
        <bdi>{label}</bdi>
      </span>
      {count > 0 && (
        <span className={`text-xs tabular-nums ${late ? 'text-late' : ''}`}>{formatNumber(count)}</span>
      )}
    </a>
  );
}
