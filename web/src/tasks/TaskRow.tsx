import { memo, useState, type KeyboardEvent } from 'react';
import { Checkbox } from '../design/controls';
import { Icon } from '../design/Icon';
import { isOverdue } from '../replica/due';
import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { formatDue, t } from '../text';

interface Props {
  task: Task;
  now: number;
  zone: string;
  /** Whether the day is written out: not where the heading says it. */
  withDay: boolean;
}

const rings = { high: 'late', medium: 'edge', low: 'low' } as const;

/** One task: done or not, its title, and below what there is to know of it. */
export const TaskRow = memo(function TaskRow({ task, now, zone, withDay }: Props) {
  const replica = useReplica();
  const done = task.status === 'completed';
  return (
    <div
      data-task={task.id}
      className="group flex items-start gap-3 border-b border-line px-2 py-2.5 transition-colors hover:bg-hover"
    >
      <Checkbox
        tone={rings[task.priority]}
        checked={done}
        aria-label={done ? t.task.reopen(task.title) : t.task.complete(task.title)}
        onChange={() => void replica.change({ kind: done ? 'reopen' : 'complete', id: task.id })}
        className="mt-px"
      />
      <div className="min-w-0 grow">
        <Title task={task} />
        <Details task={task} now={now} zone={zone} withDay={withDay} />
      </div>
    </div>
  );
});

/** The title; a click edits it in place, Enter keeps it, Escape does not. */
function Title({ task }: { task: Task }) {
  const replica = useReplica();
  const [draft, setDraft] = useState<string>();
  const look = task.status === 'completed' ? 'text-soft line-through decoration-edge' : 'text-ink';
  if (draft === undefined) {
    return (
      <button
        type="button"
        dir="auto"
        aria-label={t.task.edit(task.title)}
        className={`block max-w-full cursor-text text-left wrap-anywhere ${look}`}
        onClick={() => setDraft(task.title)}
      >
        {task.title}
      </button>
    );
  }
  const keep = () => {
    const title = draft.trim();
    setDraft(undefined);
    if (title && title !== task.title) void replica.change({ kind: 'update', id: task.id, patch: { title } });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter') keep();
    if (event.key === 'Escape') setDraft(undefined);
  };
  return (
    <input
      ref={(input) => input?.focus()}
      dir="auto"
      aria-label={t.task.title}
      maxLength={255}
      value={draft}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={keep}
      onKeyDown={onKeyDown}
      className="-mx-1.5 w-full rounded-sm bg-surface px-1.5 ring-1 ring-line"
    />
  );
}

function Details({ task, now, zone, withDay }: Props) {
  const late = isOverdue(task, now, zone);
  const due = task.due_date === null ? '' : formatDue(task.due_date, now, zone, withDay);
  const reminders = task.due_date === null ? 0 : task.reminder_minutes.length;
  const small = 'size-3.5';
  if (!due && !task.recurrence_pattern && !task.description && task.tags.length === 0) return null;
  return (
    <div className="mt-0.5 flex flex-wrap items-center gap-x-3 gap-y-0.5 text-xs text-soft">
      {due && (
        <span className={late ? 'font-medium text-late' : ''}>
          <span className="sr-only">{t.task.due('')}</span>
          {due}
        </span>
      )}
      {task.recurrence_pattern && (
        <Mark label={t.task.repeats}>
          <Icon name="repeat" className={small} />
        </Mark>
      )}
      {reminders > 0 && (
        <Mark label={t.task.hasReminders(reminders)}>
          <Icon name="bell" className={small} />
        </Mark>
      )}
      {task.description && (
        <Mark label={t.task.hasDescription}>
          <Icon name="note" className={small} />
        </Mark>
      )}
      {task.priority === 'high' && <span className="sr-only">{t.task.high}</span>}
      {task.priority === 'low' && <span className="sr-only">{t.task.low}</span>}
      {task.tags.map((tag) => (
        <span key={tag} dir="auto" className="max-w-40 truncate">
          <span className="text-accent">#</span>
          {tag}
        </span>
      ))}
    </div>
  );
}

/** An icon that stands for a word. */
function Mark({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <span title={label}>
      {children}
      <span className="sr-only">{label}</span>
    </span>
  );
}
