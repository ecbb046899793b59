import { useState, type SyntheticEvent } from 'react';
import { useUser } from '../app/user';
import { Button, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { PasswordField } from '../design/PasswordField';
import { Hint, Section } from '../design/Section';
import { t } from '../text/account';
import { useSaving } from './useSaving';
import { keepZone, zoneHere } from './ZoneNotice';
import { ZoneField } from './ZoneField';

/** Who the user is, and where. */
export function Profile() {
  const user = useUser();
  const [typed, setTyped] = useState<{ name?: string; email?: string; locale?: string; password?: string }>(
    {},
  );
  const here = zoneHere();
  const { busy, save, complaint, failure } = useSaving(['name', 'email', 'locale', 'time_zone', 'password']);
  // Whether there is a password, only the server knows: it asks for it when the address is to be changed.
  const asked =
    (typed.email ?? user.email) !== user.email && (typed.password ?? complaint('password')) !== undefined;
  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    const { password, ...settings } = typed;
    if (await save({ ...settings, ...(asked && password && { password }) })) setTyped({});
  };
  const field = (name: 'name' | 'email' | 'locale') => ({
    id: `settings-${name}`,
    value: typed[name] ?? user[name],
    error: complaint(name),
    onChange: (event: { target: { value: string } }) => setTyped({ ...typed, [name]: event.target.value }),
  });
  const changed = (['name', 'email', 'locale'] as const).some(
    (name) => typed[name] !== undefined && typed[name] !== user[name],
  );
  return (
    <Section title={t.settings.profile}>
      <form noValidate onSubmit={(event) => void submit(event)} className="space-y-4">
        <TextField label={t.settings.name} autoComplete="name" {...field('name')} />
        <div>
          <TextField label={t.settings.email} type="email" autoComplete="email" {...field('email')} />
          <Hint>{t.settings.emailHint}</Hint>
        </div>
        {asked && (
          <PasswordField
            ref={focus}
            id="settings-password"
            label={t.settings.password}
            value={typed.password ?? ''}
            error={complaint('password')}
            autoComplete="current-password"
            onChange={(event) => setTyped({ ...typed, password: event.target.value })}
          />
        )}
        <div>
          <TextField label={t.settings.locale} spellCheck={false} {...field('locale')} />
          <Hint>{t.settings.localeHint}</Hint>
        </div>
        <Failure>{failure}</Failure>
        <Button type="submit" kind="primary" disabled={!changed || busy}>
          {t.settings.save}
        </Button>
      </form>
      <ZoneField
        zone={user.time_zone}
        error={complaint('time_zone')}
        onChoose={(time_zone) => {
          keepZone(user.id); // who chooses another than that of this browser wants it
          void save({ time_zone });
        }}
      />
      {here !== user.time_zone && (
        <p className="flex flex-wrap items-center gap-3 text-sm">
          {t.settings.zoneHere(here)}
          <Button onClick={() => void save({ time_zone: here })}>{t.settings.useZone}</Button>
        </p>
      )}
    </Section>
  );
}

/** What has just appeared is what to go on with. */
const focus = (element: HTMLElement | null) => element?.focus();
