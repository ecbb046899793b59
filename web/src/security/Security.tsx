/**
 * How the user signs in: the password, the second factor, passkeys, where they are signed in, and what happened to the account.
 *
 * [Task]: T006
 */
import { Page } from '../app/Page';
import { t } from '../text/security';
import { AccessLog } from './AccessLog';
import { Connections } from './Connections';
import { Passkeys } from './Passkeys';
import { Password } from './Password';
import { SecondFactor } from './SecondFactor';
import { Sessions } from './Sessions';

export default function Security() {
  return (
    <Page title={t.title}>
      <Password />
      <SecondFactor />
      <Passkeys />
      <Connections />
      <Sessions />
      <AccessLog />
    </Page>
  );
}
