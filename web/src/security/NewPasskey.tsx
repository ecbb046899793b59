import { useEffect, useRef, useState } from 'react';
import { Problem } from '../api/client';
import { useProof } from '../app/proof';
import { Invalid, useSubmit } from '../app/submit';
import { Button, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { PasswordField } from '../design/PasswordField';
import { addPasskey, passkeyFailure } from '../signin/passkey';
import { t } from '../text/passkeys';

/** Adding a passkey: what shows that it is the user who asks, and then the browser's own dialog. */
export function NewPasskey({ onAdded }: { onAdded: () => Promise<void> }) {
  const [asked, setAsked] = useState(false);
  if (!asked) return <Button onClick={() => setAsked(true)}>{t.add}</Button>;
  const added = async () => {
    setAsked(false);
    await onAdded();
  };
  return <AddingForm onAdded={added} onCancel={() => setAsked(false)} />;
}

function AddingForm({ onAdded, onCancel }: { onAdded: () => Promise<void>; onCancel: () => void }) {
  const form = useRef<HTMLFormElement>(null);
  const { factor, prove } = useProof();
  const [stopped, setStopped] = useState<string>();
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    setStopped(undefined);
    try {
      await prove(field, (proof) => addPasskey(field('name').trim(), proof));
    } catch (error) {
      if (error instanceof Invalid || (error instanceof Problem && error.fields.length > 0)) throw error;
      setStopped(passkeyFailure(error));
      return;
    }
    await onAdded();
  });
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  return (
    <form
      ref={form}
      noValidate
      aria-label={t.add}
      onSubmit={onSubmit}
      className="max-w-md space-y-4 rounded-md bg-sunken p-4"
    >
      <TextField
        id="passkey-name"
        name="name"
        label={t.name}
        hint={t.nameHint}
        error={complaint('name')}
        autoComplete="off"
      />
      <PasswordField
        id="passkey-password"
        name="password"
        label={t.password}
        hint={t.passwordHint}
        error={complaint('password')}
        autoComplete="current-password"
      />
      {factor && (
        <TextField
          id="passkey-code"
          name="second_factor"
          label={t.code}
          error={complaint('second_factor')}
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
      )}
      <Failure>{failure ?? stopped}</Failure>
      <div className="flex gap-2">
        <Button type="submit" kind="primary" disabled={busy}>
          {t.next}
        </Button>
        <Button kind="quiet" onClick={onCancel}>
          {t.cancel}
        </Button>
      </div>
    </form>
  );
}
