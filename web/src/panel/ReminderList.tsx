import { useState, type SyntheticEvent } from 'react';
import { Button, Chip } from '../design/controls';
import { t } from '../text/details';
import { Complaint } from './Field';
import { longest, mostReminders, presets, splitReminder, unitMinutes, type ReminderUnit } from './reminders';

export function reminderText(minutes: number): string {
  const { n, unit } = splitReminder(minutes);
  return minutes === 0 ? t.reminders.atDue : t.reminders.before(n, unit);
}

const control = 'h-8 rounded-md border border-edge bg-surface px-2 text-sm';

interface Props {
  minutes: readonly number[];
  onChange: (minutes: number[]) => void;
}

/** Reminders as chips that can be dropped, and a list of what can be added: of a task, and of who makes tasks. */
export function ReminderList({ minutes, onChange }: Props) {
  const [custom, setCustom] = useState(false);
  const add = (one: number) => {
    setCustom(false);
    if (!minutes.includes(one)) onChange([...minutes, one].sort((a, b) => a - b));
  };
  return (
    <div className="flex flex-wrap items-center gap-1.5 py-1">
      {minutes.map((one) => (
        <Chip
          key={one}
          onRemove={() => onChange(minutes.filter((m) => m !== one))}
          removeLabel={t.reminders.remove(reminderText(one))}
        >
          {reminderText(one)}
        </Chip>
      ))}
      {minutes.length >= mostReminders ? (
        <p className="text-xs text-soft">{t.reminders.full}</p>
      ) : (
        <select
          aria-label={t.reminders.add}
          value=""
          onChange={(event) => {
            if (event.target.value === 'custom') setCustom(true);
            else add(Number(event.target.value));
          }}
          className={`${control} text-soft`}
        >
          <option value="" disabled>
            {t.reminders.add}
          </option>
          {presets
            .filter((one) => !minutes.includes(one))
            .map((one) => (
              <option key={one} value={one}>
                {reminderText(one)}
              </option>
            ))}
          <option value="custom">{t.reminders.custom}</option>
        </select>
      )}
      {custom && <Custom onAdd={add} />}
    </div>
  );
}

function Custom({ onAdd }: { onAdd: (minutes: number) => void }) {
  const [amount, setAmount] = useState('45');
  const [unit, setUnit] = useState<ReminderUnit>('minute');
  const [complaint, setComplaint] = useState(false);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const minutes = Number(amount) * unitMinutes[unit];
    const fits = amount.trim() !== '' && Number.isInteger(minutes) && minutes >= 0 && minutes <= longest;
    if (fits) onAdd(minutes);
    setComplaint(!fits);
  };
  return (
    <form onSubmit={submit} className="w-full">
      <div className="flex gap-1.5">
        <input
          ref={(input) => input?.focus()}
          type="number"
          inputMode="numeric"
          aria-label={t.reminders.amount}
          aria-invalid={complaint || undefined}
          value={amount}
          onChange={(event) => setAmount(event.target.value)}
          className={`${control} w-20 aria-invalid:border-late`}
        />
        <select
          aria-label={t.reminders.unit}
          value={unit}
          onChange={(event) => setUnit(event.target.value as ReminderUnit)}
          className={control}
        >
          {(Object.keys(unitMinutes) as ReminderUnit[]).map((one) => (
            <option key={one} value={one}>
              {t.reminders.units[one]}
            </option>
          ))}
        </select>
        <Button onClick={submit} className="h-8">
          {t.reminders.addIt}
        </Button>
      </div>
      {complaint && <Complaint>{t.reminders.range}</Complaint>}
    </form>
  );
}
