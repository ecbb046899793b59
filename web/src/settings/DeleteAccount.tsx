import { useState } from 'react';
import { call } from '../api/client';
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

/** The end of the account, which nothing brings back. */
export function DeleteAccount() {
  const [asked, setAsked] = useState(false);
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
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    if (field('name').trim() !== user.name) throw new Invalid({ name: t.deletion.otherName(user.name) });
    await prove(field, async (body) => {
      await call('delete', '/api/me', { body });
    });
    await endDeleted(async () => {
      forgetFilters(user.id);
      await replica.forget(true);
    });
    toast({ text: t.deletion.done, lasts: 0 });
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
      <Failure>{failure}</Failure>
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onCancel}>{t.deletion.keep}</Button>
        <Button type="submit" kind="danger" disabled={busy}>
          {t.deletion.go}
        </Button>
      </div>
    </form>
  );
}
