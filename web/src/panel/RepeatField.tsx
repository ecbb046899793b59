import { useState } from 'react';
import { Problem } from '../api/client';
import { Button } from '../design/controls';
import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text/details';
import { formatDueFull } from '../text/moments';
import { Complaint, Editor, Field, Value } from './Field';
import { RecurrenceEditor } from './RecurrenceEditor';
import { usePreview } from './usePreview';

export function RepeatField({ task, zone }: { task: Task; zone: string }) {
  const replica = useReplica();
  const [open, setOpen] = useState(false);
  const pattern = task.recurrence_pattern;
  const { data } = usePreview(pattern, task.due_date);
  const shown = pattern === null ? t.repeat.none : (data?.words ?? pattern.replace(/^RRULE:/, ''));
  const change = (recurrence_pattern: string | null) => {
    if (recurrence_pattern !== pattern)
      void replica.change({ kind: 'update', id: task.id, patch: { recurrence_pattern } });
  };
  return (
    <Field icon="repeat" label={t.repeat.label}>
      <Value
        label={t.repeat.change(shown)}
        open={open}
        onClick={() => setOpen(!open)}
        tone={pattern === null ? 'soft' : 'ink'}
      >
        <span className="inline-block first-letter:uppercase">{shown}</span>
      </Value>
      {open && (
        <Editor label={t.repeat.label}>
          <RecurrenceEditor pattern={pattern} onChange={change} />
          <NextDates pattern={pattern} due={task.due_date} zone={zone} />
          <div className="mt-3 flex justify-end">
            <Button onClick={() => setOpen(false)}>{t.repeat.done}</Button>
          </div>
        </Editor>
      )}
    </Field>
  );
}

/** The next five dates, or why the server cannot tell them. */
function NextDates({ pattern, due, zone }: { pattern: string | null; due: string | null; zone: string }) {
  const { data, error, isPlaceholderData } = usePreview(pattern, due);
  if (pattern === null) return null;
  if (error) {
    const refused = error instanceof Problem && !error.passing;
    return <Complaint>{refused ? error.message : t.repeat.unreachable}</Complaint>;
  }
  return (
    <div className={`mt-3 transition-opacity ${isPlaceholderData ? 'opacity-50' : ''}`}>
      <p className="text-xs font-medium text-soft">{t.repeat.next}</p>
      <ol aria-label={t.repeat.next} className="mt-1 space-y-0.5 text-sm tabular-nums">
        {data?.due_dates.map((date) => (
          <li key={date}>{formatDueFull(date, zone)}</li>
        ))}
      </ol>
    </div>
  );
}
