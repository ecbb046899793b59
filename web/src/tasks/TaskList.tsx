/**
 * The list: groups by day, drawn only where the user looks, so that ten thousand tasks scroll as ten do. To a screen
 * reader it is a grid (WAI-ARIA 1.2) with a row per task: arrows move in it, and Tab visits the controls of one row only.
 *
 * [Task]: T062, T069
 */
import { defaultRangeExtractor, useVirtualizer, type Range } from '@tanstack/react-virtual';
import { useCallback, useMemo, useRef, useState, type MouseEvent } from 'react';
import { openTask } from '../panel/address';
import { useNow } from '../app/clock';
import { useUser } from '../app/user';
import type { Task } from '../replica/types';
import { formatNumber, t } from '../text';
import { BulkBar } from './BulkBar';
import { Choosers, useAsking } from './asking';
import { useCursor } from './cursor';
import { useSelection } from './useSelection';
import { TaskRow } from './TaskRow';
import { heading, heightOf } from './heights';
import { useListKeys } from './useListKeys';
import type { Group } from './views';

type Line = { key: string; group: Group; task?: Task };

function linesOf(groups: readonly Group[]): Line[] {
  return groups.flatMap((group): Line[] => [
    ...(group.heading === undefined ? [] : [{ key: group.key, group }]),
    ...group.tasks.map((task) => ({ key: task.id, group, task })),
  ]);
}

/** Where each task is, and in which order they are. */
function indexed(lines: readonly Line[]) {
  const lineOf = new Map<string, number>();
  lines.forEach(({ task }, i) => {
    if (task) lineOf.set(task.id, i);
  });
  return { lineOf, order: [...lineOf.keys()] };
}

const idsOf = (group: Group) => group.tasks.map(({ id }) => id);

const scrolling = 'toast-floor min-h-36 grow basis-0 overflow-y-auto overscroll-contain';

export function TaskList({ groups, label }: { groups: readonly Group[]; label: string }) {
  const lines = useMemo(() => linesOf(groups), [groups]);
  const { lineOf, order } = useMemo(() => indexed(lines), [lines]);
  const list = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const cursor = useCursor(order, lineOf, list);
  const selection = useSelection(order, lineOf);
  const [editing, setEditing] = useState<string>();
  const [asking, ask] = useAsking();
  const virtual = useLines(lines, scroller, cursor.line);
  const here = lines[cursor.line];
  const selected = () => [...selection.ids].flatMap((id) => lines[lineOf.get(id) ?? -1]?.task ?? []);
  const reach = (id: string | undefined) => {
    const line = lineOf.get(id ?? '');
    if (line !== undefined) virtual.scrollToIndex(line, { align: 'auto' });
  };
  useListKeys({
    list,
    here: here?.task,
    by: (steps) => reach(cursor.by(steps)),
    selected,
    edit: setEditing,
    ask,
    select: selection.toggle,
    extend: (steps) => {
      const from = here?.task?.id ?? '';
      const to = order[order.indexOf(from) + steps];
      if (to === undefined) return;
      selection.extend(from, to);
      cursor.to(to, true);
      reach(to);
    },
    selectGroup: () => here && selection.toggleAll(idsOf(here.group)),
    clear: selection.clear,
  });

  /** A click on a row, beside its controls, opens the task, or selects it where that is what the user is at. */
  const onClick = (event: MouseEvent<HTMLElement>) => {
    const target = event.target as Element;
    const id = target.closest<HTMLElement>('[data-task]')?.dataset.task;
    if (id === undefined || target.closest('button, a, input')) return;
    if (event.shiftKey) selection.extend(here?.task?.id ?? id, id);
    else if (event.ctrlKey || event.metaKey || selection.ids.size > 0) selection.toggle(id);
    else openTask(id);
    cursor.to(id, true);
  };
  return (
    <>
      <div ref={scroller} className={scrolling} tabIndex={-1}>
        {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events -- keys/ does by key what a click does */}
        <div
          ref={list}
          role="grid"
          tabIndex={-1}
          aria-label={label}
          aria-multiselectable="true"
          aria-rowcount={lines.length}
          className="relative mx-auto mb-16 max-w-3xl outline-none"
          style={{ height: virtual.getTotalSize() }}
          onFocus={cursor.onFocus}
          onBlur={cursor.onBlur}
          onClick={onClick}
          onMouseDown={keepFromMarking}
        >
          <Rows
            virtual={virtual}
            lines={lines}
            at={cursor.line}
            editing={editing}
            selected={selection.ids}
            onEdit={setEditing}
            onSelect={selection.toggle}
            onSelectAll={(group) => selection.toggleAll(idsOf(group))}
            onAsk={ask}
          />
        </div>
      </div>
      {selection.ids.size > 0 && <BulkBar tasks={selected()} onAsk={ask} onClear={selection.clear} />}
      <Choosers asking={asking} onClose={() => ask(undefined)} />
    </>
  );
}

/** A click with Shift marks a range of tasks, not of text. */
function keepFromMarking(event: MouseEvent): void {
  if (event.shiftKey) event.preventDefault();
}

/** The lines in sight, and always the one with the cursor: scrolling must not take the focus away. */
function useLines(lines: readonly Line[], scroller: React.RefObject<HTMLElement | null>, cursor: number) {
  const rangeExtractor = useCallback(
    (range: Range) => {
      const shown = defaultRangeExtractor(range);
      if (cursor < 0 || shown.includes(cursor)) return shown;
      return cursor < (shown[0] ?? 0) ? [cursor, ...shown] : [...shown, cursor];
    },
    [cursor],
  );
  // Both stay the same while the lines do: with new ones the virtualizer lays out every line anew at each scroll event.
  const getItemKey = useCallback((i: number) => lines[i]?.key ?? i, [lines]);
  const estimateSize = useCallback(
    (i: number) => {
      const { task, group } = lines[i] ?? {};
      return task && group ? heightOf(task, group.saysDue) : heading;
    },
    [lines],
  );
  // eslint-disable-next-line react-hooks/incompatible-library -- no compiler memoises this hook
  return useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize,
    getItemKey,
    overscan: 12,
    scrollPaddingStart: heading,
    scrollPaddingEnd: heading,
    rangeExtractor,
  });
}

interface RowsProps {
  virtual: ReturnType<typeof useLines>;
  lines: readonly Line[];
  at: number;
  editing: string | undefined;
  selected: ReadonlySet<string>;
  onEdit: (id: string | undefined) => void;
  onSelect: (id: string) => void;
  onSelectAll: (group: Group) => void;
  onAsk: ReturnType<typeof useAsking>[1];
}

function Rows({ virtual, lines, at, editing, selected, onEdit, onSelect, onSelectAll, onAsk }: RowsProps) {
  const now = useNow();
  const { time_zone: zone } = useUser();
  return virtual.getVirtualItems().map((item) => {
    const line = lines[item.index];
    if (!line) return null;
    const { task, group } = line;
    return (
      <div
        key={item.key}
        ref={virtual.measureElement}
        role="presentation"
        data-index={item.index}
        className="absolute inset-x-0 top-0 px-2 md:px-6"
        style={{ transform: `translateY(${item.start}px)` }}
      >
        {task ? (
          <TaskRow
            task={task}
            rowIndex={item.index + 1}
            now={now}
            zone={zone}
            withDay={!group.saysDue}
            current={item.index === at}
            selected={selected.has(task.id)}
            selecting={selected.size > 0}
            editing={editing === task.id}
            onEdit={onEdit}
            onSelect={onSelect}
            onAsk={onAsk}
          />
        ) : (
          <Heading
            group={group}
            rowIndex={item.index + 1}
            selecting={selected.size > 0}
            all={group.tasks.every(({ id }) => selected.has(id))}
            onSelectAll={onSelectAll}
          />
        )}
      </div>
    );
  });
}

interface HeadingProps {
  group: Group;
  rowIndex: number;
  selecting: boolean;
  all: boolean;
  onSelectAll: (group: Group) => void;
}

function Heading({ group, rowIndex, selecting, all, onSelectAll }: HeadingProps) {
  const heading = group.heading ?? '';
  return (
    <div role="row" aria-rowindex={rowIndex} className="group">
      <div role="gridcell" className="flex items-baseline gap-2 px-2 pt-6 pb-2">
        <h2 className={`text-sm font-semibold ${group.late ? 'text-late' : ''}`}>{heading}</h2>
        <span className="text-xs text-soft tabular-nums">{formatNumber(group.tasks.length)}</span>
        <button
          type="button"
          tabIndex={selecting ? 0 : -1}
          aria-label={all ? t.bulk.deselectGroup(heading) : t.bulk.selectGroup(heading)}
          onClick={() => onSelectAll(group)}
          className={`-my-0.5 ml-auto h-6 rounded-sm px-2 text-xs text-soft transition-opacity group-hover:opacity-100 hover:text-accent focus-visible:opacity-100 ${selecting ? '' : 'opacity-0'}`}
        >
          {all ? t.bulk.none : t.bulk.all}
        </button>
      </div>
    </div>
  );
}
