import { useState, type SyntheticEvent } from 'react';
import { useUser } from '../app/user';
import { Button, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { Hint, Section } from '../design/Section';
import { t } from '../text/account';
import { useSaving } from './useSaving';
import { keepZone, zoneHere } from './ZoneNotice';
import { ZoneField } from './ZoneField';

/** Who the user is, and where. */
export function Profile() {
  const user = useUser();
  const [typed, setTyped] = useState<{ name?: string; email?: string; locale?: string }>({});
  const here = zoneHere();
  const { busy, save, complaint, failure } = useSaving(['name', 'email', 'locale', 'time_zone']);
  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    if (await save(typed)) setTyped({});
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
