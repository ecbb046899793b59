import { useMemo, useState, type SyntheticEvent } from 'react';
import { useNow } from '../app/clock';
import { useUser } from '../app/user';
import { Button } from '../design/controls';
import { Dialog } from '../design/Dialog';
import { fold } from '../replica/fold';
import { useReplica, useSnapshot } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text';
import { tagged } from './changes';
import { startHere } from './DateDialog';
import { countsOf } from './views';

/** Which tags the tasks have: a tag that all of them have is taken away by its button, another is added. */
export default function TagDialog({
  tasks: asked,
  onClose,
}: {
  tasks: readonly Task[];
  onClose: () => void;
}) {
  const replica = useReplica();
  const snapshot = useSnapshot();
  const now = useNow();
  const { time_zone: zone } = useUser();
  const [text, setText] = useState('');
  const tasks = asked.flatMap(({ id }) => snapshot.tasks.get(id) ?? []);
  const known = useMemo(
    () => countsOf(snapshot.tasks.values(), now, zone).tags.map(([tag]) => tag),
    [snapshot.tasks, now, zone],
  );
  const held = (tag: string) => tasks.filter((task) => task.tags.some((x) => fold(x) === fold(tag))).length;
  const change = (add: string[], remove: string[]) => {
    const changes = tagged(tasks, add, remove);
    if (changes.length > 0) void replica.change(...changes);
  };
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    const tag = text.trim().replace(/^#/, '');
    if (tag) change([tag], []);
    setText('');
  };
  const offered = known.filter((tag) => fold(tag).includes(fold(text.trim()))).slice(0, 40);
  return (
    <Dialog title={t.bulk.tagsOf(tasks.length, tasks[0]?.title ?? '')} onClose={onClose}>
      <form onSubmit={submit} className="flex gap-2">
        <input
          ref={startHere}
          aria-label={t.bulk.newTag}
          placeholder={t.bulk.newTag}
          maxLength={50}
          value={text}
          onChange={(event) => setText(event.target.value)}
          className="h-9 min-w-0 grow rounded-md border border-edge bg-surface px-3"
        />
        <Button type="submit" kind="primary">
          {t.bulk.addTag}
        </Button>
      </form>
      <ul className="mt-3 flex flex-wrap gap-1.5">
        {offered.map((tag) => {
          const all = held(tag) === tasks.length;
          return (
            <li key={tag}>
              <button
                type="button"
                dir="auto"
                aria-pressed={all}
                onClick={() => change(all ? [] : [tag], all ? [tag] : [])}
                className="h-8 max-w-52 truncate rounded-md border border-line px-2.5 text-sm text-soft hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-wash aria-pressed:text-accent"
              >
                #{tag}
              </button>
            </li>
          );
        })}
      </ul>
    </Dialog>
  );
}
