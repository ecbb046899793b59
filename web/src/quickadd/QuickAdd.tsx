/**
 * Quick add: one line of text, understood by the server (package quick), added by Enter; the next can be typed at once.
 *
 * [Task]: T006
 */
import { useRef, useState, type SyntheticEvent } from 'react';
import { Icon } from '../design/Icon';
import { toast } from '../design/toast';
import { useReplica } from '../replica/store';
import type { View } from '../tasks/views';
import { t } from '../text';

export function QuickAdd({ view, tags }: { view: View; tags: readonly string[] }) {
  const replica = useReplica();
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const add = async (event: SyntheticEvent) => {
    event.preventDefault();
    const quick = text.trim();
    if (!quick) return;
    setText('');
    try {
      await replica.create({ quick: quick + context(quick, view, tags) });
    } catch {
      setText(text); // nothing typed is lost
      toast({ text: t.quickAdd.failed, tone: 'late', lasts: 0 });
    }
    input.current?.focus();
  };
  return (
    <form
      onSubmit={(event) => void add(event)}
      className="mt-4 flex h-12 items-center gap-3 rounded-lg border border-line bg-surface px-3.5 shadow-raised transition-colors focus-within:border-accent"
    >
      <Icon name="plus" className="size-5 text-accent" />
      <input
        ref={input}
        value={text}
        onChange={(event) => setText(event.target.value)}
        aria-label={t.quickAdd.label}
        placeholder={t.quickAdd.hint}
        enterKeyHint="done"
        autoComplete="off"
        dir="auto"
        className="h-full min-w-0 grow bg-transparent text-ellipsis outline-none"
      />
    </form>
  );
}

/** What the view adds to what was typed: a task added under a tag has that tag. */
function context(quick: string, view: View, tags: readonly string[]): string {
  const missing = tags.filter(
    (tag) => /^[\p{L}\p{N}_-]+$/u.test(tag) && !quick.toLowerCase().includes(`#${tag.toLowerCase()}`),
  );
  return view === 'done' ? '' : missing.map((tag) => ` #${tag}`).join('');
}
