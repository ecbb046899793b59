import { memo } from 'react';
import { Checkbox, IconButton } from '../design/controls';
import { Icon, type IconName } from '../design/Icon';
import { Menu } from '../design/menu';
import { follow } from '../app/router';
import { openTask } from '../panel/address';
import { usePatternWords } from '../panel/usePreview';
import { isOverdue } from '../replica/due';
import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { formatDue, t } from '../text';
import type { Ask } from './asking';
import { completion, deletion, prioritised } from './changes';
import { Title } from './Title';

export interface RowProps {
  task: Task;
  rowIndex: number;
  now: number;
  zone: string;
  /** Whether the day is written out: not where the heading says it. */
  withDay: boolean;
  /** Whether the cursor is on it: Tab visits the controls of this row only. */
  current: boolean;
  selected: boolean;
  /** Whether any task is: then a row is there to be selected. */
  selecting: boolean;
  editing: boolean;
  onEdit: (id: string | undefined) => void;
  onSelect: (id: string) => void;
  onAsk: (ask: Ask) => void;
}

const rings = { high: 'late', medium: 'edge', low: 'low' } as const;

/** One task: done or not, its title, and below what there is to know of it; what can be done shows under the pointer. */
export const TaskRow = memo(function TaskRow(props: RowProps) {
  const { task, now, zone, current, selected, editing, onEdit } = props;
  const replica = useReplica();
  const done = task.status === 'completed';
  const tabIndex = current ? 0 : -1;
  return (
    <div
      role="row"
      data-task={task.id}
      tabIndex={tabIndex}
      aria-rowindex={props.rowIndex}
      aria-selected={props.selecting ? selected : undefined} // else each step says that it is not
      aria-label={spoken(task, now, zone)}
      aria-describedby={task.recurrence_pattern === null ? undefined : `${task.id}-repeats`}
      className="group relative flex cursor-default items-start gap-3 rounded-md px-2 py-2.5 transition-colors after:absolute after:inset-x-2 after:-bottom-px after:h-px after:bg-line hover:bg-hover focus-visible:-outline-offset-2 aria-selected:bg-accent-wash"
    >
      <div role="gridcell" className="mt-px">
        <Checkbox
          tone={rings[task.priority]}
          checked={done}
          tabIndex={tabIndex}
          aria-label={done ? t.task.reopen(task.title) : t.task.complete(task.title)}
          onChange={() => void replica.change(...completion([task]))}
        />
      </div>
      <div role="gridcell" className="min-w-0 grow">
        <Title task={task} tabIndex={tabIndex} editing={editing} onEdit={onEdit} />
        <Details task={task} now={now} zone={zone} withDay={props.withDay} tabIndex={tabIndex} />
      </div>
      <div
        role="gridcell"
        className="-my-1 flex shrink-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100 md:opacity-0 has-data-[state=open]:opacity-100"
      >
        <Actions {...props} tabIndex={tabIndex} />
      </div>
    </div>
  );
});

/** What a screen reader says of a row before its controls. */
function spoken(task: Task, now: number, zone: string): string {
  const parts = [task.title];
  if (task.status === 'completed') parts.push(t.task.done);
  if (task.priority !== 'medium') parts.push(t.priority[task.priority]);
  if (isOverdue(task, now, zone)) parts.push(t.list.overdue);
  if (task.due_date !== null) parts.push(t.task.due(formatDue(task.due_date, now, zone, true)));
  parts.push(...task.tags.map((tag) => `#${tag}`));
  if (remindersOf(task) > 0) parts.push(t.task.hasReminders(remindersOf(task)));
  if (task.description) parts.push(t.task.hasDescription);
  return parts.join(', ');
}

function remindersOf({ due_date, reminder_minutes }: Task): number {
  return due_date === null ? 0 : reminder_minutes.length;
}

function Actions({ task, tabIndex, onAsk, onEdit, onSelect }: RowProps & { tabIndex: number }) {
  const replica = useReplica();
  const wide = 'max-md:hidden';
  const priorities = (['high', 'medium', 'low'] as const).map((priority) => ({
    label: t.priority[priority],
    icon: 'flag' as const,
    chosen: task.priority === priority,
    onSelect: () => void replica.change(...prioritised([task], priority)),
  }));
  return (
    <>
      <IconButton
        icon="today"
        label={t.task.setDate(task.title)}
        tabIndex={tabIndex}
        className={wide}
        onClick={() => onAsk({ what: 'date', tasks: [task] })}
      />
      <Menu
        icon="flag"
        label={t.task.setPriority(task.title)}
        button={{ tabIndex, className: wide }}
        content={priorities}
      />
      <Menu
        icon="more"
        label={t.task.more(task.title)}
        button={{ tabIndex }}
        content={[
          { label: t.task.open, icon: 'panel', onSelect: () => openTask(task.id) },
          { label: t.task.editTitle, icon: 'pencil', onSelect: () => onEdit(task.id) },
          { label: t.task.date, icon: 'today', onSelect: () => onAsk({ what: 'date', tasks: [task] }) },
          ...priorities,
          { label: t.task.tags, icon: 'tag', onSelect: () => onAsk({ what: 'tag', tasks: [task] }) },
          { label: t.task.select, icon: 'select', onSelect: () => onSelect(task.id) },
          {
            label: t.task.delete,
            icon: 'trash',
            onSelect: () => void replica.change(...deletion([task])),
          },
        ]}
      />
    </>
  );
}

type DetailsProps = Pick<RowProps, 'task' | 'now' | 'zone' | 'withDay'> & { tabIndex: number };

function Details({ task, now, zone, withDay, tabIndex }: DetailsProps) {
  const late = isOverdue(task, now, zone);
  const due = task.due_date === null ? '' : formatDue(task.due_date, now, zone, withDay);
  const reminders = remindersOf(task);
  const { priority, recurrence_pattern: pattern, description, tags } = task;
  const nothing = !due && !pattern && reminders === 0 && !description && tags.length === 0;
  if (nothing && priority === 'medium') return null;
  return (
    <div className="mt-0.5 flex flex-wrap items-center gap-x-3 gap-y-0.5 text-xs text-soft">
      {due && (
        <span className={late ? 'font-medium text-late' : ''}>
          <span className="sr-only">{t.task.due('')}</span>
          {due}
        </span>
      )}
      {pattern && <Repetition id={`${task.id}-repeats`} pattern={pattern} due={task.due_date} />}
      {reminders > 0 && <Mark icon="bell" label={t.task.hasReminders(reminders)} />}
      {priority !== 'medium' && (
        <span className={`flex items-center gap-1 ${priority === 'high' ? 'text-late' : 'text-low'}`}>
          <Icon name="flag" className="size-3.5" />
          {t.priorities[priority]}
        </span>
      )}
      {description && <Mark icon="note" label={t.task.hasDescription} />}
      {tags.map((tag) => (
        <a
          key={tag}
          href={`/all?${new URLSearchParams({ tag }).toString()}`}
          onClick={follow}
          tabIndex={tabIndex}
          dir="auto"
          className="-my-0.5 min-w-6 max-w-40 truncate rounded-sm leading-6 hover:text-accent"
        >
          <span className="text-accent">#</span>
          {tag}
        </a>
      ))}
    </div>
  );
}

function Repetition({ id, pattern, due }: { id: string; pattern: string; due: string | null }) {
  const words = usePatternWords([pattern], due)(pattern);
  return (
    <span id={id} className="flex min-w-0 items-center gap-1" title={words}>
      <Icon name="repeat" className="size-3.5" />
      <span className="sr-only">{t.task.repeats}</span>
      <span className="max-w-56 truncate first-letter:uppercase">{words}</span>
    </span>
  );
}

/** An icon that stands for a word. */
function Mark({ icon, label }: { icon: IconName; label: string }) {
  return (
    <span title={label}>
      <Icon name={icon} className="size-3.5" />
      <span className="sr-only">{label}</span>
    </span>
  );
}
