import { Button } from '../design/controls';
import { CopyLine } from '../design/CopyLine';
import { t } from '../text/people';

/** A link that is shown once: it is copied, then put away. */
export function OneTimeLink(props: { text: string; label: string; link: string; onDone: () => void }) {
  return (
    <div role="status" className="space-y-3 rounded-md bg-accent-wash p-4">
      <p className="text-sm">{props.text}</p>
      <CopyLine label={props.label} text={props.link} />
      <Button onClick={props.onDone}>{t.gotIt}</Button>
    </div>
  );
}
