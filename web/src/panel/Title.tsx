import { useLayoutEffect, useRef } from 'react';
import type { Task } from '../replica/types';
import { t as page } from '../text';
import { t } from '../text/details';
import { Complaint } from './Field';
import { Theirs } from './Theirs';
import { useText } from './useText';

const most = 255; // code points, after trimming (package task)

const lengthOf = (text: string): number => Array.from(text.trim()).length;

/** The title, edited where it stands and saved as it is typed; Enter and leaving it end the editing. */
export function Title({ task }: { task: Task }) {
  const edited = useText(task, 'title', (text) => lengthOf(text) > 0 && lengthOf(text) <= most);
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => fit(area.current), [edited.text]);
  const length = lengthOf(edited.text);
  const complaint =
    length === 0 ? t.panel.titleNeeded : length > most ? t.panel.tooLong(length, most) : undefined;
  return (
    <div className="min-w-0 grow">
      <textarea
        ref={area}
        rows={1}
        dir="auto"
        aria-label={page.task.title}
        aria-invalid={complaint ? true : undefined}
        aria-describedby={complaint ? 'panel-title-error' : undefined}
        value={edited.text}
        onChange={(event) => edited.type(event.target.value.replace(/[\r\n]+/g, ' '))}
        onBlur={edited.leave}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
          event.preventDefault();
          event.currentTarget.blur();
        }}
        className={`-mx-2 block field-sizing-content w-[calc(100%+1rem)] resize-none rounded-md bg-transparent px-2 py-0.5 text-lg font-semibold hover:bg-hover focus:bg-transparent ${task.status === 'completed' ? 'text-soft line-through decoration-edge' : ''}`}
      />
      {complaint && <Complaint id="panel-title-error">{complaint}</Complaint>}
      <Theirs edited={edited} />
    </div>
  );
}

/**
 * Makes a text area as high as its text, for browsers that do not by themselves (field-sizing). One that is not drawn
 * yet, in a dialog about to open, has no height to go by and keeps its rows.
 */
export function fit(area: HTMLTextAreaElement | null): void {
  if (!area || CSS.supports('field-sizing', 'content')) return;
  area.style.height = 'auto';
  if (area.scrollHeight > 0) area.style.height = `${area.scrollHeight}px`;
}
