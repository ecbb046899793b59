import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../api/client';
import { signOut } from '../app/session';
import { Button } from '../design/controls';
import { Failure } from '../design/Failure';
import { Section } from '../design/Section';
import { t } from '../text/account';
import { CopyLine } from '../design/CopyLine';

/** The session of this browser, and a link for another one. */
export function Browser() {
  const [failed, setFailed] = useState(false);
  const link = useMutation({
    mutationFn: async () => {
      const { code } = (await call('post', '/api/session/link')).body;
      return `${location.origin}/signin#${code}`;
    },
  });
  return (
    <Section title={t.settings.browser}>
      <div>
        <p className="font-medium">{t.settings.link}</p>
        <p className="mb-2 text-sm text-soft">{t.settings.linkHint}</p>
        {link.data ? (
          <CopyLine label={t.settings.link} text={link.data} />
        ) : (
          <Button disabled={link.isPending} onClick={() => link.mutate()}>
            {t.settings.makeLink}
          </Button>
        )}
        <Failure>{link.error ? t.settings.unreachable : undefined}</Failure>
      </div>
      <div>
        <p className="mb-2 text-sm text-soft">{t.settings.signOutHint}</p>
        <Button kind="danger" onClick={() => void signOut().catch(() => setFailed(true))}>
          {t.settings.signOut}
        </Button>
        <Failure>{failed ? t.settings.signOutFailed : undefined}</Failure>
      </div>
    </Section>
  );
}
