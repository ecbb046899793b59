import { Problem } from '../api/client';
import { signIn } from '../app/session';
import { Invalid, useSubmit } from '../app/submit';
import { Button, TextField } from '../design/controls';
import { Failure } from '../design/Failure';
import { t } from '../text/signin';
import { codeIn } from './code';
import { Command } from './Door';

/** The code of a sign-in link typed or pasted, and where to get one; open where a link has just failed. */
export function LinkForm({ open }: { open: boolean }) {
  const { busy, complaint, failure, onSubmit } = useSubmit(async (field) => {
    const code = codeIn(field('code'));
    if (!code) throw new Invalid({ code: t.link.incomplete });
    try {
      await signIn({ code });
    } catch (error) {
      if (error instanceof Problem && error.code === 'invalid_code')
        throw new Invalid({ code: t.link.refused });
      throw error;
    }
  });
  return (
    <details open={open} className="mt-6 border-t border-line pt-4">
      <summary className="min-h-6 cursor-pointer font-medium">{t.link.title}</summary>
      <p className="mt-3 mb-4 text-sm text-soft">{t.link.how}</p>
      <form noValidate onSubmit={onSubmit} className="space-y-3">
        <TextField
          id="signin-code"
          name="code"
          label={t.link.code}
          error={complaint('code')}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
        <Failure>{failure}</Failure>
        <Button type="submit" className="w-full" disabled={busy}>
          {t.link.go}
        </Button>
      </form>
      <p className="mt-6 mb-2 text-sm text-soft">{t.link.newLink}</p>
      <Command>{t.link.command}</Command>
      <p className="mt-2 text-sm text-soft">{t.link.elsewhere}</p>
    </details>
  );
}
