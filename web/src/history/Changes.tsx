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
              <span className="line-clamp-4">{valueText(field, old, reader)}</span>
            </del>
            <span aria-hidden="true" className="text-soft">
              {' → '}
            </span>
            <ins dir="auto" className="no-underline">
              <span className="sr-only">{t.history.to} </span>
              <span className="line-clamp-4">{valueText(field, next, reader)}</span>
            </ins>
          </dd>
        </div>
      ))}
    </dl>
  );
}
