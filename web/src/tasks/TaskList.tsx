/**
 * The list: groups by day, drawn only where the user looks, so that ten thousand tasks scroll as ten do.
 *
 * [Task]: T069
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef } from 'react';
import { useNow } from '../app/clock';
import { useUser } from '../app/user';
import type { Status, Task } from '../replica/types';
import { formatNumber, t } from '../text';
import { TaskRow } from './TaskRow';
import type { Group, View } from './views';

type Line = { key: string; group: Group; task?: Task };

interface Props {
  groups: readonly Group[];
  view: View;
  filtered: boolean;
  load: Status['load'];
}

export function TaskList({ groups, view, filtered, load }: Props) {
  const lines = useMemo(() => linesOf(groups), [groups]);
  if (lines.length === 0) {
    return load === 'complete' ? <Empty of={filtered ? 'filtered' : view} /> : <Loading />;
  }
  return <Lines lines={lines} view={view} />;
}

function linesOf(groups: readonly Group[]): Line[] {
  return groups.flatMap((group): Line[] => [
    ...(group.heading === undefined ? [] : [{ key: group.key, group }]),
    ...group.tasks.map((task) => ({ key: task.id, group, task })),
  ]);
}

function Lines({ lines, view }: { lines: readonly Line[]; view: View }) {
  const scroller = useRef<HTMLDivElement>(null);
  const now = useNow();
  const { time_zone: zone } = useUser();
  // eslint-disable-next-line react-hooks/incompatible-library -- no compiler memoises this component
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: (i) => (lines[i]?.task ? 58 : 56),
    getItemKey: (i) => lines[i]?.key ?? i,
    overscan: 12,
  });
  return (
    <div ref={scroller} className="min-h-0 grow overflow-y-auto overscroll-contain">
      <ul
        aria-label={t.views[view]}
        className="relative mx-auto mb-16 max-w-3xl"
        style={{ height: virtual.getTotalSize() }}
      >
        {virtual.getVirtualItems().map((item) => {
          const line = lines[item.index];
          if (!line) return null;
          return (
            <li
              key={item.key}
              ref={virtual.measureElement}
              data-index={item.index}
              className="absolute inset-x-0 top-0 px-2 md:px-6"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              {line.task ? (
                <TaskRow
                  task={line.task}
                  now={now}
                  zone={zone}
                  withDay={line.group.late || !line.group.heading}
                />
              ) : (
                <Heading group={line.group} />
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Heading({ group }: { group: Group }) {
  return (
    <h2 className="flex items-baseline gap-2 px-2 pt-6 pb-2 text-sm font-semibold">
      <span className={group.late ? 'text-late' : ''}>{group.heading}</span>
      <span className="text-xs font-normal text-soft tabular-nums">{formatNumber(group.tasks.length)}</span>
    </h2>
  );
}

function Empty({ of }: { of: keyof typeof t.list.empty }) {
  const [title, hint] = t.list.empty[of];
  return (
    <div className="mx-auto max-w-xs grow animate-appear px-6 pt-[14vh] text-center">
      <svg
        viewBox="0 0 120 72"
        className="mx-auto mb-6 w-32 text-edge"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
        aria-hidden="true"
      >
        <path d="M8 60h104" opacity=".5" />
        <path d="M36 60a24 24 0 0 1 48 0" className="text-accent" stroke="currentColor" />
        <path d="M60 26V16M33 37l-7-7M87 37l7-7M22 52l-9-3M98 52l9-3" opacity=".7" />
      </svg>
      <p className="text-lg font-medium">{title}</p>
      <p className="mt-1 text-soft">{hint}</p>
    </div>
  );
}

/** Rows to come, in grey; a screen reader hears one sentence. */
function Loading() {
  return (
    <div className="mx-auto w-full max-w-3xl grow px-4 pt-8 md:px-8" role="status">
      <span className="sr-only">{t.list.loading}</span>
      {['w-2/5', 'w-3/5', 'w-1/3', 'w-1/2', 'w-2/5'].map((width, i) => (
        <div key={i} className="flex items-center gap-3 border-b border-line py-4">
          <div className="size-5 rounded-full bg-line" />
          <div className={`h-3.5 animate-pulse rounded-sm bg-line ${width}`} />
        </div>
      ))}
    </div>
  );
}
