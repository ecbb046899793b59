import { useEffect, useRef } from 'react';
import { Button, DownloadLink } from '../design/controls';
import { CopyButton } from '../design/CopyLine';
import { t } from '../text/security';

/** Recovery codes, which are shown this once. */
export function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const text = `${codes.join('\n')}\n`;
  useEffect(() => box.current?.focus(), []); // the form that had the focus is gone
  return (
    <div
      ref={box}
      tabIndex={-1}
      role="group"
      aria-label={t.factor.codes}
      className="space-y-4 rounded-md bg-accent-wash p-4"
    >
      <h3 className="font-medium">{t.factor.codes}</h3>
      <p className="text-sm">{t.factor.keep}</p>
      <ol className="grid w-fit gap-x-8 gap-y-1 font-mono text-sm sm:grid-cols-2">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <div className="flex flex-wrap gap-2">
        <CopyButton text={text} />
        <DownloadLink href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`} file={t.factor.file}>
          {t.factor.download}
        </DownloadLink>
        <Button kind="primary" onClick={onKept}>
          {t.factor.kept}
        </Button>
      </div>
    </div>
  );
}
