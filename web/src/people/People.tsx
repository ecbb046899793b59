/**
 * What administrators do about other people's accounts: invite, and help who has forgotten the password.
 *
 * [Task]: T006
 */
import { useUser } from '../app/user';
import { Page } from '../app/Page';
import { t } from '../text/people';
import { Invitations } from './Invitations';
import { ResetLink } from './ResetLink';

export default function People() {
  const { admin } = useUser();
  return (
    <Page title={t.title}>
      {admin ? (
        <>
          <Invitations />
          <ResetLink />
        </>
      ) : (
        <p>{t.adminsOnly}</p>
      )}
    </Page>
  );
}
