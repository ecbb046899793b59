/**
 * The editor of a repetition: presets, words that the server understands, and for the rest every n days, weeks, months
 * or years, on which days, until when. What it makes is a recurrence pattern; what that means, the server says.
 *
 * [Task]: T042
 */
import { useState } from 'react';
import { Button } from '../design/controls';
import { t } from '../text/details';
import { EndControls, MonthDayControls, WeekdayControls } from './RuleControls';
import { frequencies, readRule, simple, weekdays, writeRule, type Frequency, type Rule } from './rule';
import { understandPattern } from './understand';
import { Words } from './Words';

interface Props {
  pattern: string | null;
  onChange: (pattern: string | null) => void;
}

const workdays = weekdays.slice(0, 5);
const presets = {
  none: null,
  daily: 'daily',
  weekdays: writeRule({ ...simple('weekly'), on: workdays }),
  weekly: 'weekly',
  monthly: 'monthly',
  yearly: 'yearly',
} as const satisfies Record<keyof typeof t.repeat.presets, string | null>;
type Preset = keyof typeof presets;

export function RecurrenceEditor({ pattern, onChange }: Props) {
  const preset = (Object.keys(presets) as Preset[]).find((name) => presets[name] === pattern);
  const [wanted, setWanted] = useState(preset === undefined);
  const custom = wanted || preset === undefined;
  const rule = pattern === null ? simple('weekly') : readRule(pattern);
  return (
    <div className="space-y-3">
      <div role="group" aria-label={t.repeat.how} className="flex flex-wrap gap-1.5">
        {(Object.keys(presets) as Preset[]).map((name) => (
          <Choice
            key={name}
            chosen={name === preset && !custom}
            onChoose={() => {
              setWanted(false);
              onChange(presets[name]);
            }}
          >
            {t.repeat.presets[name]}
          </Choice>
        ))}
        <Choice
          chosen={custom}
          onChoose={() => {
            setWanted(true);
            if (pattern === null) onChange('weekly');
          }}
        >
          {t.repeat.custom}
        </Choice>
      </div>
      <Words
        label={t.repeat.words}
        hint={t.repeat.wordsHint}
        notUnderstood={t.repeat.notUnderstood}
        unreachable={t.repeat.unreachable}
        understand={understandPattern}
        onUnderstood={onChange}
      />
      {custom &&
        (rule ? (
          <Custom rule={rule} onChange={(next) => onChange(writeRule(next))} />
        ) : (
          <p className="text-sm text-soft">{t.repeat.raw}</p>
        ))}
    </div>
  );
}

function Choice(props: { chosen: boolean; onChoose: () => void; children: string }) {
  return (
    <Button
      aria-pressed={props.chosen}
      onClick={props.onChoose}
      className="h-8 px-3 aria-pressed:border-accent aria-pressed:bg-accent-wash aria-pressed:text-accent"
    >
      {props.children}
    </Button>
  );
}

export const control = 'h-9 rounded-md border border-edge bg-surface px-2 text-sm';

function Custom({ rule, onChange }: { rule: Rule; onChange: (rule: Rule) => void }) {
  const set = (part: Partial<Rule>) => onChange({ ...rule, ...part });
  return (
    <div className="space-y-3">
      <div className="flex items-center gap-2">
        <label className="flex items-center gap-2 text-sm text-soft">
          {t.repeat.every}
          <WholeNumber value={rule.every} most={999} onChange={(every) => set({ every })} />
        </label>
        <select
          aria-label={t.repeat.unit}
          value={rule.frequency}
          onChange={(event) =>
            onChange({ ...simple(event.target.value as Frequency), every: rule.every, end: rule.end })
          }
          className={control}
        >
          {frequencies.map((frequency) => (
            <option key={frequency} value={frequency}>
              {t.repeat.units[frequency][rule.every === 1 ? 0 : 1]}
            </option>
          ))}
        </select>
      </div>
      {rule.frequency === 'weekly' && <WeekdayControls on={rule.on} onChange={(on) => set({ on })} />}
      {rule.frequency === 'monthly' && (
        <MonthDayControls day={rule.monthDay} onChange={(monthDay) => set({ monthDay })} />
      )}
      <EndControls end={rule.end} onChange={(end) => set({ end })} />
    </div>
  );
}

interface WholeNumberProps {
  value: number;
  most: number;
  label?: string;
  onChange: (value: number) => void;
}

/** A whole number from 1; what is none while it is typed stays in the field and changes nothing. */
export function WholeNumber({ value, most, label, onChange }: WholeNumberProps) {
  const [draft, setDraft] = useState<string>();
  return (
    <input
      type="number"
      inputMode="numeric"
      min={1}
      max={most}
      aria-label={label}
      value={draft ?? value}
      onChange={(event) => {
        setDraft(event.target.value);
        const n = Number(event.target.value);
        if (Number.isInteger(n) && n >= 1 && n <= most) onChange(n);
      }}
      onBlur={() => setDraft(undefined)}
      className={`${control} w-18`}
    />
  );
}
