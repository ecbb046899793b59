/**
 * The settings: who the user is, their time zone, how reminders reach them, tokens for other programs, this
 * browser, their data to take along, and the end of the account.
 *
 * [Task]: T006
 */
import { follow } from '../app/router';
import { setTheme, useTheme, type Theme } from '../app/theme';
import { useUser } from '../app/user';
import { Switch } from '../design/controls';
import { Failure } from '../design/Failure';
import { Page } from '../app/Page';
import { Hint, Section } from '../design/Section';
import { setCharacters, useCharacters } from '../keys/characters';
import { ReminderList } from '../panel/ReminderList';
import { t as page } from '../text';
import { t } from '../text/account';
import { Browser } from './Browser';
import { Channels } from './Channels';
import { DeleteAccount } from './DeleteAccount';
import { Profile } from './Profile';
import { Tokens } from './Tokens';
import { useSaving } from './useSaving';
import { YourData } from './YourData';

export default function Settings() {
  return (
    <Page title={t.settings.title}>
      <Profile />
      <NewTasks />
      <Channels />
      <Look />
      <Keyboard />
      <Tokens />
      <Browser />
      <YourData />
      <DeleteAccount />
      <p className="border-t border-line pt-6">
        <a href="/activity" onClick={follow} className="inline-block min-h-6 text-accent underline">
          {t.settings.about}
        </a>
      </p>
    </Page>
  );
}

function NewTasks() {
  const user = useUser();
  const { save, complaint, failure } = useSaving(['reminder_minutes']);
  return (
    <Section title={t.settings.tasks}>
      <div role="group" aria-label={t.settings.reminders}>
        <p className="text-sm font-medium text-soft">{t.settings.reminders}</p>
        <ReminderList
          minutes={user.reminder_minutes}
          onChange={(reminder_minutes) => void save({ reminder_minutes })}
        />
        <Hint>{user.reminder_minutes.length === 0 ? t.settings.noReminders : t.settings.remindersHint}</Hint>
        <Failure>{complaint('reminder_minutes') ?? failure}</Failure>
      </div>
    </Section>
  );
}

const themes: readonly Theme[] = ['system', 'light', 'dark'];

function Look() {
  const theme = useTheme();
  return (
    <Section title={t.settings.theme}>
      <fieldset className="flex w-fit gap-0.5 rounded-md bg-sunken p-0.5">
        <legend className="sr-only">{t.settings.theme}</legend>
        {themes.map((one) => (
          <label
            key={one}
            className="relative flex h-9 cursor-pointer items-center rounded-sm px-3.5 text-sm has-checked:bg-surface has-checked:font-medium has-checked:shadow-raised has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name="theme"
              checked={one === theme}
              onChange={() => setTheme(one)}
              className="absolute inset-0 cursor-pointer opacity-0"
            />
            {page.theme[one]}
          </label>
        ))}
      </fieldset>
    </Section>
  );
}

function Keyboard() {
  return (
    <Section title={t.settings.keyboard}>
      <Switch
        id="settings-characters"
        label={t.settings.characters}
        detail={t.settings.charactersHint}
        checked={useCharacters()}
        onChange={(event) => setCharacters(event.target.checked)}
      />
    </Section>
  );
}
