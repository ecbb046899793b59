import { useState } from 'react';
import { Button } from '../design/controls';
import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text/details';
import { Editor, Field, Value } from './Field';
import { NextDates } from './NextDates';
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
