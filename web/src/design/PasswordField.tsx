import { useState, type ComponentProps } from 'react';
import { t } from '../text/forms';
import { TextField } from './controls';

type Props = Omit<ComponentProps<typeof TextField>, 'type' | 'autoComplete'> & {
  /** Tells a password manager whether to fill in a password or to offer a new one. */
  autoComplete: 'current-password' | 'new-password';
};

/** A password, hidden until its owner wants to see what was typed. The button is beside the label: managers put theirs into the field. */
export function PasswordField({ className = '', ...rest }: Props) {
  const [shown, setShown] = useState(false);
  return (
    <div className={`relative ${className}`}>
      <TextField type={shown ? 'text' : 'password'} autoCapitalize="none" spellCheck={false} {...rest} />
      <button
        type="button"
        aria-label={shown ? t.hides(rest.label) : t.shows(rest.label)}
        onClick={() => setShown(!shown)}
        className="absolute -top-0.5 right-0 min-h-6 min-w-6 rounded-sm text-sm text-soft underline hover:text-ink"
      >
        {shown ? t.hide : t.show}
      </button>
    </div>
  );
}

/** The field `password` of a form that sets a new one. Typing it once is enough: it can be looked at. */
export function NewPasswordField(props: Omit<Props, 'name' | 'autoComplete' | 'hint'>) {
  return (
    <PasswordField name="password" hint={t.newPasswordHint} autoComplete="new-password" required {...props} />
  );
}
