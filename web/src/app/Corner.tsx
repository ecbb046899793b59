import { InboxLink } from '../notifications/InboxLink';
import { AccountMenu } from './Navigation';

/** What is at hand at the top of every page on a phone; on a wide screen the sidebar has it. */
export function Corner() {
  return (
    <div className="ml-auto flex self-start md:hidden">
      <InboxLink />
      <AccountMenu />
    </div>
  );
}
