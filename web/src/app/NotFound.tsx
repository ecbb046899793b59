import { Page } from '../design/Page';
import { t } from '../text';
import { follow } from './router';

/** What an address shows at which there is nothing. */
export default function NotFound() {
  return (
    <Page title={t.nowhere.title}>
      <p className="text-soft">{t.nowhere.detail}</p>
      <a
        href="/today"
        onClick={follow}
        className="mt-4 inline-flex h-9 items-center rounded-md border border-line bg-surface px-3.5 text-sm font-medium hover:bg-hover"
      >
        {t.nowhere.back}
      </a>
    </Page>
  );
}
