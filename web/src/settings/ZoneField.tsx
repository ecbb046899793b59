import { useId, useState, type KeyboardEvent } from 'react';
import { locale } from '../text';
import { t } from '../text/account';
import { findZones, zoneLabel, zonesWith } from './zones';

interface Props {
  zone: string;
  error: string | undefined;
  onChoose: (zone: string) => void;
}

const shown = 50;

/** The time zone, found by typing any part of its name (ARIA Authoring Practices: combobox with a list). */
export function ZoneField({ zone, error, onChoose }: Props) {
  const id = useId();
  const [text, setText] = useState<string>();
  const [at, setAt] = useState(0);
  const [now] = useState(Date.now);
  const found = text === undefined ? [] : findZones(zonesWith(zone), text).slice(0, shown);
  const choose = (one: string | undefined) => {
    setText(undefined);
    if (one && one !== zone) onChoose(one);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(at + 1, found.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, 0));
    else if (event.key === 'Enter') choose(found[at]);
    else if (event.key === 'Escape') setText(undefined);
    else return;
    event.preventDefault();
  };
  return (
    <div className="relative">
      <label htmlFor={id} className="mb-1 block text-sm font-medium text-soft">
        {t.settings.zone}
      </label>
      <input
        id={id}
        role="combobox"
        aria-expanded={found.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={found.length > 0 ? `${id}-${at}` : undefined}
        aria-invalid={error ? true : undefined}
        aria-describedby={`${id}-hint`}
        autoComplete="off"
        value={text ?? zoneLabel(zone, now, locale)}
        onFocus={(event) => event.target.select()}
        onBlur={() => setText(undefined)}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        className="h-10 w-full rounded-md border border-edge bg-surface px-3"
      />
      <p id={`${id}-hint`} className={`mt-1 text-sm ${error ? 'text-late' : 'text-soft'}`}>
        {error ?? t.settings.zoneHint}
      </p>
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label={t.settings.zone}
        hidden={found.length === 0}
        className="absolute top-17 z-20 max-h-64 w-full overflow-y-auto rounded-md border border-line bg-surface p-1 shadow-float"
      >
        {found.map((one, i) => (
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the field has the keys
          <div
            key={one}
            id={`${id}-${i}`}
            ref={(option) => {
              if (i === at) option?.scrollIntoView({ block: 'nearest' });
            }}
            role="option"
            aria-selected={i === at}
            tabIndex={-1}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(one)}
            className="cursor-pointer rounded-sm px-2.5 py-2 text-sm hover:bg-hover aria-selected:bg-hover"
          >
            {zoneLabel(one, now, locale)}
          </div>
        ))}
      </div>
    </div>
  );
}
