import { useRef, useState, type KeyboardEvent } from 'react';
import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text';

interface Props {
  task: Task;
  tabIndex: number;
  editing: boolean;
  onEdit: (id: string | undefined) => void;
}

/** The title; a click edits it in place, Enter keeps it, Escape does not, and both give the focus back to the row. */
export function Title({ task, tabIndex, editing, onEdit }: Props) {
  if (editing) return <Editor task={task} onEdit={onEdit} />;
  const look = task.status === 'completed' ? 'text-soft line-through decoration-edge' : 'text-ink';
  return (
    <button
      type="button"
      dir="auto"
      tabIndex={tabIndex}
      aria-label={t.task.edit(task.title)}
      className={`block max-w-full cursor-text text-left wrap-anywhere ${look}`}
      onClick={(event) => {
        if (!event.shiftKey && !event.ctrlKey && !event.metaKey) onEdit(task.id);
      }}
    >
      {task.title}
    </button>
  );
}

function Editor({ task, onEdit }: Pick<Props, 'task' | 'onEdit'>) {
  const replica = useReplica();
  const [from] = useState(task.title);
  const dropped = useRef(false);
  const keep = (text: string) => {
    onEdit(undefined);
    const title = text.trim();
    if (!dropped.current && title && title !== from)
      void replica.change({ kind: 'update', id: task.id, patch: { title }, from: { title: from } });
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.nativeEvent.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
    event.preventDefault();
    dropped.current = event.key === 'Escape';
    event.currentTarget.closest<HTMLElement>('[data-task]')?.focus(); // leaving the field is what keeps it
  };
  return (
    <input
      ref={(input) => input?.focus()}
      dir="auto"
      aria-label={t.task.title}
      maxLength={255}
      defaultValue={task.title}
      onBlur={(event) => keep(event.target.value)}
      onKeyDown={onKeyDown}
      className="-mx-1.5 w-full rounded-sm bg-surface px-1.5 ring-1 ring-line"
    />
  );
}
