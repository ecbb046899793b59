import { Fragment } from 'react';
import { Dialog } from '../design/Dialog';
import { t } from '../text';
import { useCharacters } from './characters';
import { available, labelOf } from './keys';
import { scopes, type Shortcut, type ShortcutId } from './shortcuts';

/** Every shortcut that does something on the page as it is. */
export default function Help({ onClose }: { onClose: () => void }) {
  const shown = available().filter(({ keys }) => keys.length > 0);
  return (
    <Dialog reading title={t.keys.title} onClose={onClose}>
      <p className="mb-4 text-sm text-soft">{useCharacters() ? t.keys.switchOff : t.keys.switchedOff}</p>
      {scopes.map((scope) => (
        <section key={scope} className="mb-5 last:mb-0">
          <h3 className="mb-1 text-sm font-semibold">{t.keys.scopes[scope]}</h3>
          <dl>
            {shown
              .filter((shortcut) => shortcut.scope === scope)
              .map(({ id, keys }) => (
                <div
                  key={id}
                  className="flex items-baseline justify-between gap-4 border-b border-line py-1.5"
                >
                  <dt>{t.keys.does[id as ShortcutId]}</dt>
                  <dd className="shrink-0 text-soft">
                    <Presses keys={keys} />
                  </dd>
                </div>
              ))}
          </dl>
        </section>
      ))}
    </Dialog>
  );
}

export function Presses({ keys }: { keys: Shortcut['keys'] }) {
  return keys.map((press, i) => (
    <Fragment key={press}>
      {i > 0 && <span className="mx-1.5 text-xs">{t.keys.or}</span>}
      {labelOf(press).map((label, j) => (
        <Fragment key={j}>
          {j > 0 && press.includes(' ') && <span className="mx-1 text-xs">{t.keys.then}</span>}
          <kbd className="ml-0.5 inline-block min-w-6 rounded-sm border border-line bg-sunken px-1.5 text-center font-sans text-xs">
            {label}
          </kbd>
        </Fragment>
      ))}
    </Fragment>
  ));
}
