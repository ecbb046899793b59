import { useId, useState, type KeyboardEvent } from 'react';
import { Chip } from '../design/controls';
import { fold } from '../replica/fold';
import { useReplica, useSnapshot } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text/details';
import { Complaint, Field } from './Field';
import { completions } from './tagCompletion';

const mostTags = 20; // package task, as is the length
const longestTag = 50;

/** The tags of a task: added with completion from those in use, dropped by their cross or Backspace. */
export function TagsField({ task }: { task: Task }) {
  const replica = useReplica();
  const [complaint, setComplaint] = useState<string>();
  const change = (add: string[], remove: string[]) =>
    void replica.change({ kind: 'tags', id: task.id, add, remove });
  const add = (text: string): boolean => {
    const tag = text.trim().replace(/^#/, '');
    const problem = problemOf(tag, task.tags);
    setComplaint(problem);
    if (problem) return false;
    if (tag && !task.tags.some((held) => fold(held) === fold(tag))) change([tag], []);
    return true;
  };
  const last = task.tags.at(-1);
  return (
    <Field icon="tag" label={t.tags.label}>
      <div className="flex flex-wrap items-center gap-1.5 py-1">
        {task.tags.map((tag) => (
          <Chip key={tag} tone="accent" onRemove={() => change([], [tag])} removeLabel={t.tags.remove(tag)}>
            <bdi>{tag}</bdi>
          </Chip>
        ))}
        <TagInput
          taken={task.tags}
          onAdd={add}
          onType={() => setComplaint(undefined)}
          onBack={() => {
            if (last !== undefined) change([], [last]);
          }}
        />
      </div>
      {complaint && <Complaint>{complaint}</Complaint>}
    </Field>
  );
}

function problemOf(tag: string, tags: readonly string[]): string | undefined {
  if (Array.from(tag).length > longestTag) return t.tags.tooLong;
  return tags.length >= mostTags ? t.tags.full : undefined;
}

interface TagInputProps {
  taken: readonly string[];
  /** Returns whether the tag was taken; otherwise what was typed stays. */
  onAdd: (tag: string) => boolean;
  onType: () => void;
  onBack: () => void;
}

/** A combobox with a list (ARIA Authoring Practices): what is typed is a tag, and so is each of those offered. */
function TagInput({ taken, onAdd, onType, onBack }: TagInputProps) {
  const id = useId();
  const { tasks } = useSnapshot();
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const offered = open ? completions(tasks.values(), text, taken) : [];
  const choose = (tag: string) => {
    if (tag.trim() === '' || !onAdd(tag)) return;
    setText('');
    setAt(-1);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter' || event.key === ',') choose(offered[at] ?? text);
    else if (event.key === 'ArrowDown') setAt(Math.min(at + 1, offered.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(at - 1, -1));
    else if (event.key === 'Escape' && open && offered.length > 0) setOpen(false);
    else if (event.key === 'Backspace' && text === '') onBack();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="relative min-w-28 grow">
      <input
        role="combobox"
        aria-label={t.tags.add}
        aria-expanded={offered.length > 0}
        aria-controls={id}
        aria-autocomplete="list"
        aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
        autoComplete="off"
        dir="auto"
        value={text}
        placeholder={t.tags.add}
        onFocus={() => setOpen(true)}
        onBlur={() => {
          setOpen(false);
          choose(text);
        }}
        onChange={(event) => {
          setText(event.target.value);
          setAt(-1);
          setOpen(true);
          onType();
        }}
        onKeyDown={onKeyDown}
        className="h-8 w-full rounded-md bg-transparent px-1 text-sm"
      />
      <div
        id={id}
        role="listbox"
        aria-label={t.tags.label}
        hidden={offered.length === 0}
        className="absolute top-9 left-0 z-20 w-52 rounded-md border border-line bg-surface p-1 shadow-float"
      >
        {offered.map((tag, i) => (
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the field has the keys
          <div
            key={tag}
            id={`${id}-${i}`}
            role="option"
            aria-selected={i === at}
            tabIndex={-1}
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => choose(tag)}
            className="cursor-pointer truncate rounded-sm px-2 py-1.5 text-sm hover:bg-hover aria-selected:bg-hover"
          >
            {tag}
          </div>
        ))}
      </div>
    </div>
  );
}
