import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text/details';
import { Field } from './Field';

const priorities = ['high', 'medium', 'low'] as const;
const tones = { high: 'text-late', medium: 'text-ink', low: 'text-low' };

export function PriorityField({ task }: { task: Task }) {
  const replica = useReplica();
  return (
    <Field icon="flag" label={t.priority.label}>
      <fieldset className="flex w-fit max-w-full flex-wrap gap-0.5 rounded-md bg-sunken p-0.5">
        <legend className="sr-only">{t.priority.label}</legend>
        {priorities.map((priority) => (
          <label
            key={priority}
            className={`relative flex h-8 cursor-pointer items-center rounded-sm px-3 text-sm has-checked:bg-surface has-checked:font-medium has-checked:shadow-raised has-focus-visible:outline-2 has-focus-visible:outline-accent ${tones[priority]}`}
          >
            <input
              type="radio"
              name={`priority-${task.id}`}
              checked={task.priority === priority}
              onChange={() => void replica.change({ kind: 'update', id: task.id, patch: { priority } })}
              className="absolute inset-0 cursor-pointer opacity-0"
            />
            {t.priority[priority]}
          </label>
        ))}
      </fieldset>
    </Field>
  );
}
