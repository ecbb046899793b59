import { useRef, type KeyboardEvent } from 'react';
import { useDraft, type TextDraft } from '../app/drafts';
import { useReplica } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text';

/** Code points of a title at most, after trimming (package task). */
const most = 255;

interface Props {
  task: Task;
  tabIndex: number;
  editing: boolean;
  onEdit: (id: string | undefined) => void;
}

/**
 * The title; a click edits it in place, Enter keeps it, Escape does not, and both give the focus back to the row. One that
 * is too long stays in its field, with what to do.
 */
export function Title({ task, tabIndex, editing, onEdit }: Props) {
  if (editing) return <Editor task={task} onEdit={onEdit} />;
  const look = task.status === 'completed' ? 'text-soft line-through decoration-edge' : 'text-ink';
  return (
    <button
      type="button"
      dir="auto"
      tabIndex={tabIndex}
      aria-label={t.task.edit(task.title)}
      className={`block max-w-full cursor-text text-left wrap-anywhere ${look}`}
      onClick={(event) => {
        if (!event.shiftKey && !event.ctrlKey && !event.metaKey) onEdit(task.id);
      }}
    >
      {task.title}
    </button>
  );
}

/** What is typed is a draft until it is kept, so it survives the tab: the next editor of the title, here or in the panel, has it. */
function Editor({ task, onEdit }: Pick<Props, 'task' | 'onEdit'>) {
  const replica = useReplica();
  const [draft, setDraft] = useDraft<TextDraft>(`title:${task.id}`);
  const dropped = useRef(false);
  const title = draft?.text.trim();
  const tooLong = title !== undefined && Array.from(title).length > most;
  const leave = async () => {
    if (tooLong && !dropped.current) return;
    onEdit(undefined);
    if (draft && title && title !== draft.from && !dropped.current) {
      try {
        await replica.change({ kind: 'update', id: task.id, patch: { title }, from: { title: draft.from } });
      } catch {
        return; // the browser could not keep it, and has said so: it stays a draft
      }
    }
    setDraft(undefined);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.nativeEvent.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
    event.preventDefault();
    if (event.key === 'Enter' && tooLong) return;
    dropped.current = event.key === 'Escape';
    event.currentTarget.closest<HTMLElement>('[data-task]')?.focus(); // leaving the field is what keeps it
  };
  return (
    <>
      <input
        ref={focusOnce}
        dir="auto"
        aria-label={t.task.title}
        aria-invalid={tooLong || undefined}
        aria-describedby={tooLong ? 'title-error' : undefined}
        value={draft?.text ?? task.title}
        onChange={(event) => setDraft({ text: event.target.value, from: draft?.from ?? task.title })}
        onBlur={() => void leave()}
        onKeyDown={onKeyDown}
        className="-mx-1.5 w-full rounded-sm bg-surface px-1.5 ring-1 ring-line aria-invalid:ring-late"
      />
      {tooLong && (
        <p id="title-error" role="alert" className="mt-1 text-sm text-late">
          {t.task.tooLong}
        </p>
      )}
    </>
  );
}

/** Outside of the component: a callback made anew would take the focus again with every key. */
function focusOnce(input: HTMLInputElement | null): void {
  input?.focus();
}
