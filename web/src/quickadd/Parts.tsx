import { Icon } from '../design/Icon';
import { t } from '../text';
import type { Part } from './understood';

interface Props {
  parts: readonly Part[];
  /** Stretches of text that were dropped, and can be taken up again. */
  dropped: readonly string[];
  onDrop: (part: Part) => void;
  onTake: (text: string) => void;
}

const chip =
  'inline-flex h-7 max-w-full items-center gap-1.5 rounded-md pr-1.5 pl-2 text-xs font-medium transition-colors';

function nameOf({ text, label }: Part): string {
  return text ? t.quickAdd.drop(label, text) : t.quickAdd.leave(label);
}

/** What was understood, a button each: a click, or Enter after Tab, drops it back to text. */
export function Parts({ parts, dropped, onDrop, onTake }: Props) {
  if (parts.length + dropped.length === 0) return null;
  return (
    <ul aria-label={t.quickAdd.parts} className="flex flex-wrap gap-1.5 pb-2.5">
      {parts.map((part) => (
        <li key={part.text ?? part.given} className="max-w-full animate-appear">
          <button
            type="button"
            aria-label={nameOf(part)}
            title={nameOf(part)}
            onClick={() => onDrop(part)}
            className={`${chip} bg-accent-wash text-accent hover:opacity-80`}
          >
            <Icon name={part.icon} className="size-3.5" />
            <span dir="auto" className="truncate">
              {part.label}
            </span>
            <Icon name="close" className="size-3" />
          </button>
        </li>
      ))}
      {dropped.map((text) => (
        <li key={text} className="max-w-full">
          <button
            type="button"
            aria-label={t.quickAdd.take(text)}
            title={t.quickAdd.take(text)}
            onClick={() => onTake(text)}
            className={`${chip} border border-dashed border-edge pr-2 text-soft hover:bg-hover`}
          >
            <span dir="auto" className="truncate">
              {text}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
