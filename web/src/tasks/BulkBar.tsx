import { IconButton, WordButton } from '../design/controls';
import { Menu } from '../design/menu';
import { useReplica } from '../replica/store';
import type { Change, Task } from '../replica/types';
import { formatNumber, t } from '../text';
import type { Ask } from './asking';
import { completion, deletion, prioritised } from './changes';

interface Props {
  tasks: readonly Task[];
  onAsk: (ask: Ask) => void;
  onClear: () => void;
}

/** What can be done to all selected tasks. Each is one change of the replica, so that one undo takes it back. */
export function BulkBar({ tasks, onAsk, onClear }: Props) {
  const replica = useReplica();
  const make = (changes: Change[]) => {
    if (changes.length > 0) void replica.change(...changes);
  };
  const done = tasks.every((task) => task.status === 'completed');
  return (
    <section
      aria-label={t.bulk.label}
      className="mx-auto mb-3 flex max-w-[calc(100%-1rem)] animate-rise items-center gap-0.5 rounded-lg border border-line bg-surface py-1 pr-1 pl-4 shadow-float"
    >
      <p className="mr-2 text-sm font-medium whitespace-nowrap tabular-nums">
        {t.bulk.selected(formatNumber(tasks.length))}
      </p>
      <WordButton
        icon="check"
        label={done ? t.bulk.reopen : t.bulk.complete}
        onClick={() => make(completion(tasks))}
      />
      <WordButton icon="today" label={t.task.date} onClick={() => onAsk({ what: 'date', tasks })} />
      <WordButton icon="tag" label={t.task.tags} onClick={() => onAsk({ what: 'tag', tasks })} />
      <Menu
        icon="flag"
        label={t.bulk.priority}
        worded
        content={(['high', 'medium', 'low'] as const).map((priority) => ({
          label: t.priority[priority],
          icon: 'flag',
          onSelect: () => make(prioritised(tasks, priority)),
        }))}
      />
      <WordButton icon="trash" label={t.task.delete} onClick={() => make(deletion(tasks))} />
      <IconButton icon="close" label={t.bulk.clear} onClick={onClear} />
    </section>
  );
}
