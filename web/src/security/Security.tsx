/**
 * How the user signs in, and where they are signed in.
 *
 * [Task]: T006
 */
import { Page } from '../design/Page';
import { t } from '../text/security';
import { Password } from './Password';
import { Sessions } from './Sessions';

export default function Security() {
  return (
    <Page title={t.title}>
      <Password />
      <Sessions />
    </Page>
  );
}
