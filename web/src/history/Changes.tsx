import { t } from '../text/details';
import type { FieldChange } from './steps';
import { fieldText, valueText, type Reader } from './wording';

/** Each field from what to what. */
export function Changes({ changes, reader }: { changes: readonly FieldChange[]; reader: Reader }) {
  if (changes.length === 0) return null;
  return (
    <dl className="mt-0.5 space-y-1">
      {changes.map(({ field, old, new: next }) => (
        <div key={field} className="wrap-anywhere">
          <dt className="inline text-soft">{fieldText(field)}: </dt>
          <dd className="inline">
            <del dir="auto" className="text-soft decoration-edge">
              <span className="sr-only">{t.history.from} </span>
              <Said>{valueText(field, old, reader)}</Said>
            </del>
            <span aria-hidden="true" className="text-soft">
              {' → '}
            </span>
            <ins dir="auto" className="no-underline">
              <span className="sr-only">{t.history.to} </span>
              <Said>{valueText(field, next, reader)}</Said>
            </ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** A value in the line; a long text keeps to four lines of its own. */
function Said({ children }: { children: string }) {
  return <span className={children.length > 120 ? 'line-clamp-4' : ''}>{children}</span>;
}
