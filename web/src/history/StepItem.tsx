import { useState } from 'react';
import { Button, IconButton } from '../design/controls';
import { toast } from '../design/toast';
import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text/details';
import { formatAgo, formatExact } from '../text/moments';
import { Changes } from './Changes';
import type { Step } from './steps';
import { undoOf, type Undo } from './undo';
import { actionText, actorText, fieldText, stepText, valueText, type Reader } from './wording';

interface Props {
  step: Step;
  task: Task;
  reader: Reader;
  now: number;
}

/** One step; its undo says what will happen, or why nothing can, before anything does. */
export function StepItem({ step, task, reader, now }: Props) {
  const [asked, setAsked] = useState(false);
  return (
    <li className="group relative text-sm">
      <span
        aria-hidden="true"
        className="absolute top-1.5 -left-[1.3rem] size-2 rounded-full border-2 border-surface bg-edge ring-2 ring-surface"
      />
      <div className="flex items-start gap-2">
        <p className="min-w-0 grow wrap-anywhere">
          <span className="font-medium">{actorText(step.actor, reader)}</span> {actionText(step)}{' '}
          <time
            dateTime={new Date(step.at).toISOString()}
            title={formatExact(step.at, reader.zone)}
            className="text-xs whitespace-nowrap text-soft"
          >
            {formatAgo(step.at, Math.max(now, step.at))}
          </time>
        </p>
        <IconButton
          icon="undo"
          label={t.history.undoOf(stepText(step))}
          aria-expanded={asked}
          onClick={() => setAsked(!asked)}
          className="-my-1.5 shrink-0"
        />
      </div>
      <Changes changes={step.changes} reader={reader} />
      {asked && (
        <Ask undo={undoOf(step, task, now)} task={task} reader={reader} onDone={() => setAsked(false)} />
      )}
    </li>
  );
}

function Ask(props: { undo: Undo; task: Task; reader: Reader; onDone: () => void }) {
  const { undo, task, reader, onDone } = props;
  const replica = useReplica();
  if (!undo.possible) {
    return (
      <p role="status" className="mt-2 rounded-md bg-sunken px-3 py-2 text-soft">
        {t.history.why[undo.why]}
      </p>
    );
  }
  const run = async () => {
    try {
      await replica.change(...undo.changes);
    } catch {
      toast({ text: t.history.kept, tone: 'late', lasts: 0 });
    }
    onDone();
  };
  return (
    <div
      role="group"
      aria-label={t.history.undo}
      className="mt-2 animate-appear rounded-md bg-sunken px-3 py-2"
    >
      <p className="text-soft">{t.history.undoes}</p>
      <ul className="my-1">
        {undo.does !== 'fields' && <li>{simpleEffect(undo.does, task)}</li>}
        {undo.effects.map(({ change, overwrites }) => (
          <li key={change.field} className="wrap-anywhere">
            {fieldText(change.field)}: {valueText(change.field, change.old, reader)}
            {overwrites && (
              <span className="text-late">
                {' '}
                ({t.history.overwrites(valueText(change.field, task[change.field], reader))})
              </span>
            )}
          </li>
        ))}
      </ul>
      <div className="mt-2 flex gap-2">
        <Button kind="primary" className="h-8" onClick={() => void run()}>
          {t.history.doIt}
        </Button>
        <Button kind="quiet" className="h-8" onClick={onDone}>
          {t.history.cancel}
        </Button>
      </div>
    </div>
  );
}

function simpleEffect(does: 'complete' | 'reopen' | 'delete' | 'restore', task: Task): string {
  if (does === 'reopen' && task.recurrence_pattern === null) return t.history.effect.reopenSimple;
  return t.history.effect[does];
}
