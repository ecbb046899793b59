import { useId, useState, type SyntheticEvent } from 'react';
import { Button, TextField } from '../design/controls';
import { Dialog } from '../design/Dialog';
import { t } from '../text';

interface Props {
  title: string;
  /** The name it has. */
  name?: string;
  onName: (name: string) => void;
  onClose: () => void;
}

/** Asks for the name of a saved filter: 1 to 50 characters. */
export function NameDialog({ title, name = '', onName, onClose }: Props) {
  const id = useId();
  const [text, setText] = useState(name);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (text.trim()) onName(text.trim());
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit} className="flex items-end gap-2">
        <TextField
          id={id}
          ref={(input) => input?.setAttribute('autofocus', '')}
          label={t.saved.name}
          required
          maxLength={50}
          value={text}
          onChange={(event) => setText(event.target.value)}
          className="grow"
        />
        <Button type="submit" kind="primary" className="h-10">
          {t.saved.keep}
        </Button>
      </form>
    </Dialog>
  );
}
