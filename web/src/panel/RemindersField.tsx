import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text/details';
import { Field } from './Field';
import { ReminderList } from './ReminderList';

export function RemindersField({ task }: { task: Task }) {
  const replica = useReplica();
  return (
    <Field icon="bell" label={t.reminders.label}>
      <ReminderList
        minutes={task.reminder_minutes}
        onChange={(reminder_minutes) =>
          void replica.change({ kind: 'update', id: task.id, patch: { reminder_minutes } })
        }
      />
      {task.due_date === null && task.reminder_minutes.length > 0 && (
        <p className="text-xs text-soft">{t.reminders.needDate}</p>
      )}
    </Field>
  );
}
