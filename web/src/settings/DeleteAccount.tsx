import { useEffect, useRef, useState } from 'react';
import { useProof } from '../app/proof';
import { endDeleted } from '../app/session';
import { Invalid, useSubmit } from '../app/submit';
import { useUser } from '../app/user';
import { Button, DownloadLink, TextField } from '../design/controls';
import { Dialog } from '../design/Dialog';
import { Failure } from '../design/Failure';
import { PasswordField } from '../design/PasswordField';
import { Section } from '../design/Section';
import { toast } from '../design/toast';
import { forgetFilters } from '../filter/saved';
import { useReplica } from '../replica/store';
import { t } from '../text/account';
import { deleteAccount } from './deletion';

/** The end of the account, which nothing brings back. */
export function DeleteAccount() {
  const [asked, setAsked] = useState(false);
  const { first } = useUser();
  if (first)
    return (
      <Section title={t.deletion.title}>
        <p>{t.deletion.first}</p>
      </Section>
    );
  return (
    <Section title={t.deletion.title} hint={t.deletion.hint}>
      <Button kind="danger" aria-haspopup="dialog" onClick={() => setAsked(true)}>
        {t.deletion.ask}
      </Button>
      {asked && (
        <Dialog title={t.deletion.heading} onClose={() => setAsked(false)}>
          <DeletionForm onCancel={() => setAsked(false)} />
        </Dialog>
      )}
    </Section>
  );
}

/** Takes the name, so that nobody deletes by habit, and the password, so that nobody else does. */
function DeletionForm({ onCancel }: { onCancel: () => void }) {
  const user = useUser();
  const replica = useReplica();
  const { factor, prove } = useProof();
  const [doubt, setDoubt] = useState(false);
  const closing = useClosing();
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    if (field('name').trim() !== user.name) throw new Invalid({ name: t.deletion.otherName(user.name) });
    const confirmed = await prove(field, (proof) =>
      deleteAccount(user.id, proof, () => setDoubt(true), closing()).finally(() => setDoubt(false)),
    );
    await endDeleted(async () => {
      forgetFilters(user.id);
      await replica.forget(confirmed); // otherwise what has not reached the server is kept, as after any signing out
    });
    toast({ text: confirmed ? t.deletion.done : t.deletion.unconfirmed, lasts: 0 });
  });
  return (
    <form noValidate onSubmit={onSubmit} className="space-y-4">
      <p>{t.deletion.what}</p>
      <div className="flex flex-wrap items-center gap-3">
        <DownloadLink href="/api/me/export" file="docket.json">
          {t.settings.exportAll}
        </DownloadLink>
        <span className="text-sm text-soft">{t.deletion.exportFirst}</span>
      </div>
      <TextField
        id="deletion-name"
        name="name"
        label={t.deletion.name(user.name)}
        error={complaint('name')}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        required
      />
      <PasswordField
        id="deletion-password"
        name="password"
        label={t.deletion.password}
        hint={t.deletion.passwordHint}
        error={complaint('password')}
        autoComplete="current-password"
      />
      {factor && (
        <TextField
          id="deletion-code"
          name="second_factor"
          label={t.deletion.code}
          error={complaint('second_factor')}
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
      )}
      <Failure>{doubt ? t.deletion.doubt : failure}</Failure>
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onCancel}>{t.deletion.keep}</Button>
        <Button type="submit" kind="danger" disabled={busy}>
          {t.deletion.go}
        </Button>
      </div>
    </form>
  );
}

/** What is aborted when the form is closed. */
function useClosing(): () => AbortSignal {
  const open = useRef<AbortController>(null);
  useEffect(() => () => open.current?.abort(), []);
  return () => (open.current ??= new AbortController()).signal;
}
