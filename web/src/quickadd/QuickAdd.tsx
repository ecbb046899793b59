/**
 * Quick add: one line of text. What the server understands of it (package quick) shows below while it is typed, and
 * each part can be dropped back to text; Enter adds the task as it shows, and the next can be typed at once.
 *
 * [Task]: T006
 */
import { useEffect, useRef, useState, type KeyboardEvent, type SyntheticEvent } from 'react';
import { useNow } from '../app/clock';
import { useDraft } from '../app/drafts';
import { navigate } from '../app/router';
import { useUser } from '../app/user';
import { tellMore } from '../changes/undo';
import { Icon } from '../design/Icon';
import { useCharacters } from '../keys/characters';
import { useActions } from '../keys/keys';
import type { Query } from '../replica/query';
import { useReplica } from '../replica/store';
import { shows, type View } from '../tasks/views';
import { t } from '../text';
import { Parts } from './Parts';
import { bodyOf, faultOf, givenBy, partsOf, type Part } from './understood';
import { understandNow, useUnderstood } from './useUnderstood';

interface Draft {
  text: string;
  /** Parts of the text that the user has dropped back to text. */
  plain: string[];
  /** What the view would give that the user has left out. */
  without: string[];
}

/** Two texts in one line: what could not be added, and what was typed since. */
function joined(before: string, since: string): string {
  return [before, since].filter((text) => text.trim() !== '').join(' ');
}

const empty: Draft = { text: '', plain: [], without: [] };

export function QuickAdd({ view, filter }: { view: View; filter: Query }) {
  const [draft = empty, setDraft] = useDraft<Draft>('quickadd');
  const { text, plain, without } = draft;
  const [adding, setAdding] = useDraft<string>('quickadd:adding');
  const [fault, setFault] = useState<string>();
  const input = useRef<HTMLInputElement>(null);
  const understanding = useUnderstood(text, plain);
  const now = useNow();
  const { time_zone: zone } = useUser();
  const add = useAdd(view, filter);
  const given = givenBy(view, filter, now, zone);
  const change = (next: Partial<Draft>) => {
    setFault(undefined);
    const whole = { ...draft, ...next };
    setDraft(whole.text === '' ? undefined : whole);
    input.current?.focus();
  };
  useActions({ add: () => input.current?.focus() });
  const latest = useRef(text);
  useEffect(() => {
    latest.current = text;
  });
  useEffect(() => {
    if (adding === undefined) return;
    setDraft({ ...empty, text: joined(adding, text) }); // the page was closed between Enter and its answer
    setAdding(undefined);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- what the last page left, once
  }, []);

  const submit = async (event: SyntheticEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    setDraft(undefined);
    setAdding(text);
    const understood = understanding.fresh ? understanding.understood : await understandNow(text, plain);
    const body = bodyOf(text, understood, given, without);
    const wrong = faultOf(body.title ?? '') ?? ((await add(body)) ? undefined : t.quickAdd.failed);
    setAdding(undefined);
    setFault(wrong);
    if (wrong !== undefined) setDraft({ ...draft, text: joined(text, latest.current) });
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Escape') event.currentTarget.blur();
  };
  const parts = text.trim() === '' ? [] : partsOf(understanding.understood, given, without, now, zone);
  return (
    <form
      onSubmit={(event) => void submit(event)}
      className="mt-4 rounded-lg border border-line bg-surface px-3.5 shadow-raised transition-colors focus-within:border-accent"
    >
      <div className="flex h-12 items-center gap-3">
        <Icon name="plus" className="size-5 text-accent" />
        <input
          ref={input}
          value={text}
          onChange={(event) => change({ text: event.target.value })}
          onKeyDown={onKeyDown}
          aria-label={t.quickAdd.label}
          aria-describedby={fault ? 'quick-add-note' : undefined} // the note is said as it changes: not twice
          aria-invalid={fault ? true : undefined}
          aria-keyshortcuts={useCharacters() ? 'q' : undefined}
          placeholder={t.quickAdd.hint}
          enterKeyHint="done"
          autoComplete="off"
          dir="auto"
          className="h-full min-w-0 grow bg-transparent text-ellipsis outline-none"
        />
      </div>
      <Parts
        parts={parts}
        dropped={plain.filter((part) => text.includes(part))}
        onDrop={(part) =>
          change(part.text ? { plain: [...plain, part.text] } : { without: [...without, part.given ?? ''] })
        }
        onTake={(part) => change({ plain: plain.filter((p) => p !== part) })}
      />
      <Note fault={fault} away={understanding.away} parts={parts} />
    </form>
  );
}

/** What was understood, for those who cannot see the chips, or what is wrong. It has no role: empty, it is not met. */
function Note({ fault, away, parts }: { fault: string | undefined; away: boolean; parts: readonly Part[] }) {
  return (
    <p
      id="quick-add-note"
      aria-live="polite"
      aria-atomic="true"
      className={fault ? 'pb-2.5 text-sm text-late' : 'sr-only'}
    >
      {fault ?? (away ? t.quickAdd.away : parts.map((part) => part.label).join(', '))}
    </p>
  );
}

/** Adds a task; where the list does not show it then, says where it is. Answers false if the browser cannot keep it. */
function useAdd(view: View, filter: Query) {
  const replica = useReplica();
  const now = useNow();
  const { time_zone: zone } = useUser();
  return async (body: Parameters<typeof replica.create>[0]): Promise<boolean> => {
    let id: string;
    try {
      id = await replica.create(body);
    } catch {
      return false;
    }
    const made = replica.getSnapshot().tasks.get(id);
    if (made && !shows(view, filter, now, zone)(made))
      tellMore(replica, id, t.quickAdd.elsewhere(made.title), {
        label: t.quickAdd.show,
        run: () => navigate(`/all?task=${id}`),
      });
    return true;
  };
}
