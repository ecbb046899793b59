/**
 * The panel of one task: everything there is to know of it and its history, each part edited where it stands. Beside
 * the list on a wide screen, where the list stays in use; a sheet over it on a narrow one.
 *
 * [Task]: T006, T061
 */
import { useEffect, useEffectEvent, useRef, type KeyboardEvent, type ReactNode } from 'react';
import { useNow } from '../app/clock';
import { useUser } from '../app/user';
import { Button, Checkbox, IconButton } from '../design/controls';
import { Dialog } from '../design/Dialog';
import { say } from '../design/say';
import { toast } from '../design/toast';
import { History } from '../history/History';
import { useActions } from '../keys/keys';
import { useReplica, useSnapshot } from '../replica/store';
import type { Task } from '../replica/types';
import { t as page } from '../text';
import { t } from '../text/details';
import { formatMoment } from '../text/moments';
import { closeTask } from './address';
import { Description } from './Description';
import { DueField } from './DueField';
import { PriorityField } from './PriorityField';
import { RemindersField } from './RemindersField';
import { RepeatField } from './RepeatField';
import { TagsField } from './TagsField';
import { Title } from './Title';
import { useMedia } from './useMedia';
import { useLostTask, type Lost } from './useLostTask';

export default function TaskPanel({ id }: { id: string }) {
  const task = useSnapshot().tasks.get(id);
  const lost = useLostTask(id, task);
  const wide = useMedia('(min-width: 64rem)');
  const inside = task ? <Whole key={task.id} task={task} /> : <Missing lost={lost} />;
  return wide ? <Docked of={id}>{inside}</Docked> : <Sheet>{inside}</Sheet>;
}

function Sheet({ children }: { children: ReactNode }) {
  return (
    <Dialog title={t.panel.name} shape="sheet" onClose={closeTask}>
      {children}
    </Dialog>
  );
}

/** Beside the list. Escape closes it, and gives the focus back to the row it was opened from. */
function Docked({ of, children }: { of: string; children: ReactNode }) {
  const panel = useRef<HTMLElement>(null);
  const close = () => {
    closeTask();
    document.querySelector<HTMLElement>(`[data-task="${CSS.escape(of)}"]`)?.focus();
  };
  useActions({ back: close }); // from the list, too
  useEffect(() => say(t.panel.opened), []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' || event.defaultPrevented || event.nativeEvent.isComposing) return;
    event.stopPropagation();
    close();
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape leaves it, as it leaves a dialog
    <aside
      ref={panel}
      id="panel"
      aria-label={t.panel.name}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      className="flex min-h-0 w-[27rem] flex-col border-l border-line bg-surface outline-none"
    >
      <h2 className="sr-only">{t.panel.name}</h2>
      <div className="flex justify-end px-3 pt-3">
        <IconButton icon="close" label={t.panel.close} onClick={close} />
      </div>
      <div className="min-h-0 grow overflow-y-auto overscroll-contain px-5 pt-1 pb-10">{children}</div>
    </aside>
  );
}

function Whole({ task }: { task: Task }) {
  const now = useNow();
  const { time_zone: zone } = useUser();
  const { pending } = useSnapshot();
  const waiting = pending.some(({ change }) => change.id === task.id);
  return (
    <article>
      <Head task={task} />
      <Description task={task} />
      <DueField task={task} now={now} zone={zone} />
      <RepeatField task={task} zone={zone} />
      <RemindersField task={task} />
      <PriorityField task={task} />
      <TagsField task={task} />
      <Actions task={task} />
      <p className="mt-1 text-xs text-soft">
        {t.panel.created(formatMoment(Date.parse(task.created_at), zone))}
        {task.completed_at && ` · ${t.panel.completed(formatMoment(Date.parse(task.completed_at), zone))}`}
      </p>
      <History id={task.id} task={task} waiting={waiting} />
    </article>
  );
}

function Head({ task }: { task: Task }) {
  const replica = useReplica();
  const done = task.status === 'completed';
  return (
    <div className="flex items-start gap-3 pb-2">
      <Checkbox
        tone={({ high: 'late', medium: 'edge', low: 'low' } as const)[task.priority]}
        checked={done}
        aria-label={done ? page.task.reopen(task.title) : page.task.complete(task.title)}
        onChange={() => void replica.change({ kind: done ? 'reopen' : 'complete', id: task.id })}
        className="mt-1"
      />
      <Title task={task} />
    </div>
  );
}

function Actions({ task }: { task: Task }) {
  const replica = useReplica();
  const remove = async () => {
    await replica.change({ kind: 'delete', id: task.id });
    closeTask();
  };
  const copy = async () => {
    const link = `${location.origin}/all?${new URLSearchParams({ task: task.id }).toString()}`;
    try {
      await navigator.clipboard.writeText(link);
      toast({ text: t.panel.copied });
    } catch {
      toast({ text: t.panel.notCopied, tone: 'late' }); // not allowed, or plain HTTP, which has no clipboard
    }
  };
  return (
    <div className="flex gap-1 border-t border-line py-2">
      <IconButton icon="link" label={t.panel.copyLink} onClick={() => void copy()} className="-ml-2" />
      <IconButton icon="trash" label={t.panel.delete} onClick={() => void remove()} />
    </div>
  );
}

/** A task that is not in the list: still to be loaded, deleted, or not there. */
function Missing({ lost }: { lost: Lost }) {
  const replica = useReplica();
  const heading = useRef<HTMLParagraphElement>(null);
  const focusWithin = useEffectEvent(() => {
    if (document.activeElement === document.body) heading.current?.focus();
  });
  useEffect(() => focusWithin(), []); // the button that deleted it is gone
  switch (lost.state) {
    case 'loading':
      return (
        <p role="status" className="text-soft">
          {t.panel.loading}
        </p>
      );
    case 'failed':
      return (
        <div role="alert">
          <p className="mb-3">{t.panel.failed}</p>
          <Button onClick={lost.again}>{t.panel.again}</Button>
        </div>
      );
    case 'missing':
      return (
        <div role="alert">
          <p className="text-lg font-medium">{t.panel.missing}</p>
          <p className="mt-1 text-soft">{t.panel.missingHint}</p>
        </div>
      );
    case 'deleted':
      return (
        <article>
          <p ref={heading} tabIndex={-1} className="text-lg font-medium outline-none" dir="auto">
            {lost.task.title}
          </p>
          <p className="mt-1 mb-3 text-soft">
            {t.panel.deleted} {t.panel.deletedHint}
          </p>
          <Button onClick={() => void replica.change({ kind: 'restore', id: lost.task.id })}>
            {t.panel.restore}
          </Button>
          <History id={lost.task.id} task={lost.task} waiting={false} />
        </article>
      );
  }
}
