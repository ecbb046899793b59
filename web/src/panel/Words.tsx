import { useId, useState, type SyntheticEvent } from 'react';
import { Problem } from '../api/client';
import { Button } from '../design/controls';
import { t } from '../text/details';
import { Complaint } from './Field';

interface Props {
  label: string;
  hint: string;
  notUnderstood: (text: string) => string;
  unreachable: string;
  /** Asks the server; undefined is not understood. */
  understand: (text: string) => Promise<string | undefined>;
  onUnderstood: (value: string) => void;
}

/** A line of words that is taken when it is understood; otherwise it stays, with what to try. */
export function Words({ label, hint, notUnderstood, unreachable, understand, onUnderstood }: Props) {
  const id = useId();
  const [text, setText] = useState('');
  const [complaint, setComplaint] = useState<string>();
  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    try {
      const value = await understand(text);
      if (value === undefined) {
        setComplaint(notUnderstood(text.trim()));
        return;
      }
      setText('');
      setComplaint(undefined);
      onUnderstood(value);
    } catch (error) {
      setComplaint(error instanceof Problem && !error.passing ? error.message : unreachable);
    }
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <div className="flex gap-2">
        <input
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setComplaint(undefined);
          }}
          aria-label={label}
          aria-invalid={complaint ? true : undefined}
          aria-describedby={complaint ? id : undefined}
          placeholder={hint}
          autoComplete="off"
          className="h-9 min-w-0 grow rounded-md border border-edge bg-surface px-2.5 text-sm aria-invalid:border-late"
        />
        {text && <Button onClick={(event) => void submit(event)}>{t.due.set}</Button>}
      </div>
      {complaint && <Complaint id={id}>{complaint}</Complaint>}
    </form>
  );
}
