import { ButtonLink } from '../design/controls';
import { Page } from './Page';
import { t } from '../text';
import { follow } from './router';

/** What an address shows at which there is nothing. */
export default function NotFound() {
  return (
    <Page title={t.nowhere.title}>
      <p className="text-soft">{t.nowhere.detail}</p>
      <ButtonLink href="/today" onClick={follow} className="mt-4">
        {t.nowhere.back}
      </ButtonLink>
    </Page>
  );
}
