import { Button } from '../design/controls';
import { t } from '../text/details';
import type { EditedText } from './useText';

/** Shows what somebody else has made of a text meanwhile: both are seen, and neither is lost. */
export function Theirs({ edited }: { edited: EditedText }) {
  if (edited.theirs === undefined) return null;
  return (
    <div role="status" className="mt-2 rounded-md bg-accent-wash px-3 py-2 text-sm">
      <p className="text-soft">{t.panel.theirs}</p>
      <p dir="auto" className="my-1 line-clamp-6 whitespace-pre-wrap wrap-anywhere">
        {edited.theirs || '–'}
      </p>
      <Button onClick={edited.takeTheirs} onMouseDown={(event) => event.preventDefault()}>
        {t.panel.takeTheirs}
      </Button>
    </div>
  );
}
