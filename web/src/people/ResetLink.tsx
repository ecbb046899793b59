import { useState } from 'react';
import { call } from '../api/client';
import { Invalid, useSubmit } from '../app/submit';
import { Button, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { Section } from '../design/Section';
import { t } from '../text/people';
import { OneTimeLink } from './OneTimeLink';

/** A link for somebody who has forgotten the password. */
export function ResetLink() {
  const [made, setMade] = useState<{ name: string; link: string }>();
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const name = field('name').trim();
    if (!name) throw new Invalid({ name: t.reset.needed });
    const [user] = (await call('get', '/api/users', { query: { name } })).body;
    if (!user) throw new Invalid({ name: t.reset.unknown });
    const { code } = (await call('post', '/api/users/{id}/password-reset', { path: { id: user.id } })).body;
    setMade({ name: user.name, link: `${location.origin}/reset#${code}` });
  });
  return (
    <Section title={t.reset.title} hint={t.reset.hint}>
      {made ? (
        <OneTimeLink
          text={t.reset.made(made.name)}
          label={t.reset.link}
          link={made.link}
          onDone={() => setMade(undefined)}
        />
      ) : (
        <form noValidate onSubmit={onSubmit} className="max-w-md space-y-3">
          <TextField
            id="people-reset"
            name="name"
            label={t.reset.name}
            error={complaint('name')}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            required
          />
          <Failure>{failure}</Failure>
          <Button type="submit" disabled={busy}>
            {t.reset.make}
          </Button>
        </form>
      )}
    </Section>
  );
}
