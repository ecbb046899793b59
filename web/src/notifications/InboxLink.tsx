import { follow } from '../app/router';
import { Icon } from '../design/Icon';
import { formatNumber, t } from '../text';
import { useUnreadCount } from './inbox';

/** The bell at the top of a phone's screen: a dot says that there is something unread. */
export function InboxLink() {
  const unread = useUnreadCount();
  const label = unread > 0 ? t.inbox.unread(formatNumber(unread)) : t.inbox.title;
  return (
    <a
      href="/inbox"
      onClick={follow}
      aria-label={label}
      title={label}
      className="relative inline-grid size-9 place-items-center rounded-md text-soft hover:bg-hover hover:text-ink"
    >
      <Icon name="bell" />
      {unread > 0 && (
        <span className="absolute top-1.5 right-1.5 size-2.5 rounded-full bg-accent forced-colors:bg-[Highlight]" />
      )}
    </a>
  );
}
