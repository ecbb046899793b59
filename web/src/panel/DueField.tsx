import { useState } from 'react';
import { isOverdue } from '../replica/due';
import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text/details';
import { formatDueFull } from '../text/moments';
import { DatePicker } from './DatePicker';
import { Editor, Field, Value } from './Field';

export function DueField({ task, now, zone }: { task: Task; now: number; zone: string }) {
  const replica = useReplica();
  const [open, setOpen] = useState(false);
  const shown = task.due_date === null ? t.due.none : formatDueFull(task.due_date, zone);
  return (
    <Field icon="today" label={t.due.label}>
      <Value
        label={t.due.change(shown)}
        open={open}
        onClick={() => setOpen(!open)}
        tone={isOverdue(task, now, zone) ? 'late' : task.due_date === null ? 'soft' : 'ink'}
      >
        {shown}
      </Value>
      {open && (
        <Editor label={t.due.picker}>
          <DatePicker
            due={task.due_date}
            now={now}
            zone={zone}
            onChange={(due_date) => {
              if (due_date !== task.due_date)
                void replica.change({ kind: 'update', id: task.id, patch: { due_date } });
            }}
          />
        </Editor>
      )}
    </Field>
  );
}
