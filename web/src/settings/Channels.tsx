import { useState, type SyntheticEvent } from 'react';
import { useUser } from '../app/user';
import { Button, Switch, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { Section } from '../design/Section';
import { PushSwitch } from '../notifications/PushSwitch';
import { t } from '../text/account';
import { CopyLine } from '../design/CopyLine';
import { useSaving } from './useSaving';

/** How reminders reach the user, besides the inbox. */
export function Channels() {
  const user = useUser();
  const { busy, save, complaint, failure } = useSaving(['channels.email', 'email']);
  const problem = complaint('channels.email') ?? complaint('email');
  return (
    <Section title={t.settings.channels} hint={t.settings.channelsHint}>
      <PushSwitch />
      <Switch
        id="settings-by-email"
        label={t.settings.emailChannel}
        detail={user.email ? t.settings.emailTo(user.email) : t.settings.emailNeeded}
        checked={user.channels.email}
        disabled={busy || (user.email === '' && !user.channels.email)}
        onChange={(event) => void save({ channels: { email: event.target.checked } })}
      />
      <Failure>{problem ?? failure}</Failure>
      <Webhook />
    </Section>
  );
}

const urlField = 'channels.webhook.url';

function Webhook() {
  const { webhook } = useUser().channels;
  const [url, setUrl] = useState<string>();
  const { busy, save, complaint, failure } = useSaving([urlField]);
  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    if (await save({ channels: { webhook: { url: url ?? '' } } })) setUrl(undefined);
  };
  return (
    <form noValidate onSubmit={(event) => void submit(event)} className="space-y-3">
      <div>
        <p className="font-medium">{t.settings.webhook}</p>
        <p className="text-sm text-soft">{t.settings.webhookHint}</p>
      </div>
      <TextField
        id="settings-webhook"
        label={t.settings.webhookUrl}
        type="url"
        placeholder="https://"
        spellCheck={false}
        value={url ?? webhook?.url ?? ''}
        error={complaint(urlField)}
        onChange={(event) => setUrl(event.target.value)}
      />
      <Failure>{failure}</Failure>
      {webhook && (
        <CopyLine label={t.settings.webhookSecret} text={webhook.secret || t.settings.secretHidden} />
      )}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" disabled={busy || url === undefined || url === webhook?.url || url === ''}>
          {t.settings.save}
        </Button>
        {webhook && (
          <>
            <Button disabled={busy} onClick={() => void save({ channels: { webhook: { secret: null } } })}>
              {t.settings.newSecret}
            </Button>
            <Button kind="danger" disabled={busy} onClick={() => void save({ channels: { webhook: null } })}>
              {t.settings.removeWebhook}
            </Button>
          </>
        )}
      </div>
    </form>
  );
}
