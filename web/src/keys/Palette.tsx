/**
 * The command palette: finds tasks and actions by a few letters.
 *
 * [Task]: T062
 */
import { useCallback, useDeferredValue, useId, useMemo, useState, type KeyboardEvent } from 'react';
import { flushSync } from 'react-dom';
import { Dialog } from '../design/Dialog';
import { Icon } from '../design/Icon';
import { fold } from '../replica/fold';
import { useSnapshot } from '../replica/store';
import type { Task } from '../replica/types';
import { t } from '../text';
import { searchFor, useCommands, type Command } from './commands';
import { best } from './fuzzy';
import { Presses } from './Help';
import { openTask } from '../panel/address';

/** How many answers are shown. */
const most = 20;

export default function Palette({ onClose }: { onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const find = useFinder();
  const drawn = useDeferredValue(typed); // what is typed shows at once, also where finding takes longer
  const found = useMemo(() => find(drawn), [find, drawn]);
  const [chosen, setChosen] = useState(0);
  const at = Math.min(chosen, found.length - 1);
  const list = useId();
  const run = (command: Command | undefined) => {
    if (!command) return;
    flushSync(onClose); // the focus is back in the page before the action asks where it is
    command.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter') run(typed === drawn ? found[at] : find(typed)[0]);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || found.length === 0) return;
    event.preventDefault();
    setChosen((at + step + found.length) % found.length);
  };
  return (
    <Dialog title={t.palette.title} onClose={onClose}>
      <input
        ref={(input) => input?.setAttribute('autofocus', '')}
        role="combobox"
        aria-label={t.palette.title}
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={found.length > 0 ? `${list}-${at}` : undefined}
        aria-autocomplete="list"
        autoComplete="off"
        placeholder={t.palette.hint}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
        className="h-10 w-full rounded-md border border-edge bg-surface px-3 focus-visible:-outline-offset-2"
      />
      <p role="status" className={found.length === 0 ? 'pt-4 text-soft' : 'sr-only'}>
        {found.length === 0 ? t.palette.none : t.palette.found(found.length)}
      </p>
      <div
        id={list}
        role="listbox"
        aria-label={t.palette.results}
        className="-mx-2 mt-2 h-[min(24rem,50dvh)] overflow-y-auto"
      >
        {found.map((command, i) => (
          <Option key={command.key} id={`${list}-${i}`} command={command} chosen={i === at} onRun={run} />
        ))}
      </div>
    </Dialog>
  );
}

interface OptionProps {
  id: string;
  command: Command;
  chosen: boolean;
  onRun: (command: Command) => void;
}

function Option({ id, command, chosen, onRun }: OptionProps) {
  return (
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the combobox has the focus and the keys
    <div
      id={id}
      ref={chosen ? (option) => option?.scrollIntoView({ block: 'nearest' }) : undefined}
      role="option"
      aria-selected={chosen}
      onClick={() => onRun(command)}
      className="flex h-10 cursor-pointer items-center gap-3 rounded-md px-2 hover:bg-hover aria-selected:bg-accent-wash"
    >
      <Icon name={command.icon} className="size-4.5 text-soft" />
      <span dir="auto" className={`grow truncate ${command.done ? 'text-soft line-through' : ''}`}>
        {command.label}
      </span>
      {command.keys && (
        <span className="shrink-0 text-soft max-md:hidden">
          <Presses keys={command.keys.slice(0, 1)} />
        </span>
      )}
    </div>
  );
}

/** Finds the actions and tasks that answer best to what is typed; nothing typed is all actions. */
function useFinder(): (typed: string) => Command[] {
  const commands = useCommands();
  const { tasks } = useSnapshot();
  const folded = useMemo(
    () => [...tasks.values()].map((task) => ({ task, text: fold(task.title) })),
    [tasks],
  );
  return useCallback(
    (typed) => {
      if (typed.trim() === '') return commands;
      const actions = commands.map((command) => ({ command, text: fold(command.label) }));
      const found = best<Candidate>(typed, [...actions, ...folded], ({ text }) => text, most);
      return [...found.map(commandOf), searchFor(typed)];
    },
    [commands, folded],
  );
}

type Candidate = { text: string; command: Command } | { text: string; task: Task };

function commandOf(found: Candidate): Command {
  if ('command' in found) return found.command;
  const { id, title, status } = found.task;
  const done = status === 'completed';
  return { key: id, label: title, icon: done ? 'done' : 'all', done, run: () => openTask(id) };
}
