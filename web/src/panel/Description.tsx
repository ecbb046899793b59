import { useLayoutEffect, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react';
import { IconButton } from '../design/controls';
import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text/details';
import { Complaint } from './Field';
import { Markdown } from './Markdown';
import { toggleBox } from './commonmark';
import { Theirs } from './Theirs';
import { fit } from './Title';
import { useText, type EditedText } from './useText';

const most = 2000; // code points (package task)

/** The description: Markdown to read, text to edit, boxes to tick. */
export function Description({ task }: { task: Task }) {
  const replica = useReplica();
  const edited = useText(task, 'description', (text) => Array.from(text).length <= most);
  const [editing, setEditing] = useState(edited.dirty);
  if (editing) {
    return (
      <TextArea
        edited={edited}
        onLeave={() => {
          if (Array.from(edited.text).length > most) return; // what cannot be saved stays, to be shortened
          edited.leave();
          setEditing(false);
        }}
      />
    );
  }
  const onToggle = (box: number) =>
    void replica.change({
      kind: 'update',
      id: task.id,
      patch: { description: toggleBox(task.description, box) },
    });
  if (!edited.text) {
    return (
      <button
        type="button"
        onClick={() => setEditing(true)}
        className="-mx-2 mb-2 w-[calc(100%+1rem)] rounded-md px-2 py-1.5 text-left text-sm text-soft hover:bg-hover"
      >
        {t.description.add}
      </button>
    );
  }
  const onClick = (event: MouseEvent) => {
    const selecting = getSelection()?.isCollapsed === false;
    if (!selecting && !(event.target as Element).closest('a, input')) setEditing(true);
  };
  return (
    <section aria-label={t.description.label} className="group relative mb-3">
      {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions -- the button beside it does the same */}
      <div onClick={onClick} className="-mx-2 cursor-text rounded-md px-2 py-1 hover:bg-hover">
        <Markdown text={edited.text} onToggle={onToggle} />
      </div>
      <IconButton
        icon="pencil"
        label={t.description.edit}
        onClick={() => setEditing(true)}
        className="absolute -top-1 right-0 bg-surface opacity-0 group-hover:opacity-100 focus-visible:opacity-100"
      />
    </section>
  );
}

function TextArea({ edited, onLeave }: { edited: EditedText; onLeave: () => void }) {
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => area.current?.focus(), []);
  useLayoutEffect(() => fit(area.current), [edited.text]);
  const length = Array.from(edited.text).length;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key !== 'Escape' && !(event.key === 'Enter' && (event.ctrlKey || event.metaKey))) return;
    event.preventDefault(); // Escape ends the editing, and leaves the panel open
    event.stopPropagation();
    onLeave();
  };
  return (
    <div className="mb-3">
      <textarea
        ref={area}
        dir="auto"
        rows={4}
        aria-label={t.description.label}
        aria-invalid={length > most ? true : undefined}
        value={edited.text}
        onChange={(event) => edited.type(event.target.value)}
        onBlur={onLeave}
        onKeyDown={onKeyDown}
        className="-mx-2 block field-sizing-content max-h-[60dvh] min-h-24 w-[calc(100%+1rem)] resize-none rounded-md border border-edge bg-surface px-2 py-1.5"
      />
      {length > most && <Complaint>{t.panel.tooLong(length, most)}</Complaint>}
      <Theirs edited={edited} />
    </div>
  );
}
