/**
 * The page about the system: what was done to the user's tasks and by whom, what became of their reminders, and which
 * version is running.
 *
 * [Task]: T034, T053
 */
import { follow, usePlace } from '../app/router';
import { Page } from '../app/Page';
import { t } from '../text/account';
import { Deliveries } from './Deliveries';
import { System } from './System';
import { Trail } from './Trail';

const tabs = ['trail', 'reminders', 'system'] as const;
type Tab = (typeof tabs)[number];

function isTab(name: string | null): name is Tab {
  return (tabs as readonly (string | null)[]).includes(name);
}

export default function Activity() {
  const wanted = usePlace().query.get('show');
  const tab: Tab = isTab(wanted) ? wanted : 'trail';
  return (
    <Page title={t.activity.title}>
      <nav aria-label={t.activity.title} className="mb-5 flex gap-1 border-b border-line">
        {tabs.map((one) => (
          <a
            key={one}
            href={one === 'trail' ? '/activity' : `/activity?show=${one}`}
            onClick={follow}
            aria-current={one === tab ? 'page' : undefined}
            className="-mb-px border-b-2 border-transparent px-3 py-2 text-sm text-soft hover:text-ink aria-[current]:border-accent aria-[current]:font-medium aria-[current]:text-ink"
          >
            {t.activity.tabs[one]}
          </a>
        ))}
      </nav>
      {tab === 'trail' && <Trail />}
      {tab === 'reminders' && <Deliveries />}
      {tab === 'system' && <System />}
    </Page>
  );
}
