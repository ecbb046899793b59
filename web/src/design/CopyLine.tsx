import { Button } from './controls';
import { toast } from './toast';
import { t } from '../text/account';

/** Copies a text; where the browser does not let the page do so, it says that. */
export function CopyButton({ text }: { text: string }) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      toast({ text: t.settings.copied, lasts: 2500 });
    } catch {
      toast({ text: t.settings.notCopied, tone: 'late' });
    }
  };
  return <Button onClick={() => void copy()}>{t.settings.copy}</Button>;
}

/** A line of text to be copied; where the browser does not let the page copy, it is selected by a click. */
export function CopyLine({ label, text }: { label: string; text: string }) {
  return (
    <div>
      <p className="mb-1 text-sm font-medium text-soft">{label}</p>
      <div className="flex gap-2">
        <input
          readOnly
          aria-label={label}
          value={text}
          onFocus={(event) => event.target.select()}
          className="h-9 min-w-0 grow rounded-md border border-line bg-sunken px-3 font-mono text-sm"
        />
        <CopyButton text={text} />
      </div>
    </div>
  );
}
