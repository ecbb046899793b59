/**
 * A text of a task that is saved as it is typed: a draft with every key, a change of the task when the typing pauses,
 * and at the latest when the field, the panel or the page is left. A draft that a closed tab left behind is saved
 * when the task is opened next.
 *
 * [Task]: T061
 */
import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { useDraft, type TextDraft } from '../app/drafts';
import { toast } from '../design/toast';
import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text/details';

/** How long typing has to pause before it becomes a change, in milliseconds. */
const pause = 700;

export interface EditedText {
  text: string;
  /** Whether something typed is not a change yet. */
  dirty: boolean;
  type: (text: string) => void;
  /** Saves what was typed, now, and shows the task's own text again. */
  leave: () => void;
  /** What somebody else has made of the text while it was being edited here. */
  theirs: string | undefined;
  takeTheirs: () => void;
}

/** `ready` says whether a text can be saved as it stands; what cannot is a draft until it can, or is left. */
export function useText(
  task: Task,
  field: 'title' | 'description',
  ready: (text: string) => boolean,
): EditedText {
  const replica = useReplica();
  const [draft, setDraft] = useDraft<TextDraft>(`${field}:${task.id}`);
  const [own, setOwn] = useState<readonly string[]>([]);
  const newest = useRef(draft);
  const active = useRef(false);
  useEffect(() => {
    newest.current = draft;
  });
  const current = task[field];
  const dirty = draft !== undefined && draft.text !== draft.from;

  const save = async () => {
    if (!draft || !dirty || !ready(draft.text)) return;
    const { text, from } = draft;
    setOwn([...own, text]);
    try {
      await replica.change({
        kind: 'update',
        id: task.id,
        patch: { [field]: text },
        from: { [field]: from },
      });
    } catch {
      toast({ text: t.panel.notKept, tone: 'late' });
      return;
    }
    const now = newest.current;
    if (now) setDraft(now.text === text && !active.current ? undefined : { ...now, from: text });
  };
  const saveNewest = useEffectEvent(() => void save());
  const text = draft?.text;
  useEffect(() => {
    if (!dirty) return;
    const timer = setTimeout(saveNewest, pause);
    return () => clearTimeout(timer);
  }, [dirty, text]);
  useEffect(() => {
    const onHide = () => saveNewest();
    addEventListener('pagehide', onHide);
    document.addEventListener('visibilitychange', onHide);
    return () => {
      removeEventListener('pagehide', onHide);
      document.removeEventListener('visibilitychange', onHide);
      active.current = false;
      saveNewest();
    };
  }, []);

  return {
    text: text ?? current,
    dirty,
    type: (typed) => {
      active.current = true;
      setDraft({ text: typed, from: draft?.from ?? current });
    },
    leave: () => {
      active.current = false;
      if (dirty && ready(draft.text)) void save();
      else setDraft(undefined);
    },
    theirs: draft && isForeign(current, [draft.from, draft.text, ...own]) ? current : undefined,
    takeTheirs: () => setDraft(undefined),
  };
}

function isForeign(current: string, own: readonly string[]): boolean {
  return !own.some((text) => text.trim() === current.trim());
}
