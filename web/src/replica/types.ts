import type { Schemas } from '../api/client';

/** A task as the API shows it. */
export type Task = Schemas['Task'];
export type TaskPatch = Schemas['TaskPatch'];
export type NewTask = Schemas['NewTask'];

/** A task and the list version at which the server said so: what an older message says about it no longer counts. */
export interface Known {
  task: Task;
  asOf: number;
}

/** The texts of a task that two people may have edited at once. */
export type Texts = Partial<Pick<Task, 'title' | 'description'>>;

/**
 * One change that the user made. Each names one task, and applying it twice is the same as applying it once.
 * `from` holds the texts that an edit began from: what another has written meanwhile is not overwritten unseen.
 * `task` is what a restored task was, so that it shows before the server answers.
 */
export type Change =
  | { kind: 'create'; id: string; key: string; body: NewTask }
  | { kind: 'update'; id: string; patch: TaskPatch; from?: Texts }
  | { kind: 'tags'; id: string; add: string[]; remove: string[] }
  | { kind: 'restore'; id: string; task?: Task }
  | { kind: 'complete' | 'reopen' | 'delete'; id: string };

/** A change that the server has not acknowledged yet. */
export interface Pending {
  /** Its place in the queue, over all tabs. */
  seq: number;
  change: Change;
  /** When the user made it: RFC 3339, UTC. */
  at: string;
  /** Edits by others that this one met on its way; the user is told when it has arrived. */
  meetings?: readonly Meeting[];
}

/** A change that the server refused. It is out of the queue and kept until the user decides what becomes of it. */
export interface Refusal {
  pending: Pending;
  /** The task's title as the user saw it. */
  title: string;
  /** The HTTP status; 0 where the client itself held the change back. */
  status: number;
  /**
   * As in the server's answer; `text_conflict`: see texts.ts; `not_created`: the task's own creation was refused;
   * `failed`: the server failed on it each time; `behind`: it was to follow one that failed.
   */
  code: string;
  message: string;
  fields: readonly Schemas['FieldError'][];
}

/** What the user made in one go, and what would take it back. */
export interface Made {
  changes: readonly Change[];
  /** Empty where there is nothing to take back. */
  inverse: readonly Change[];
  /** The title of the task, if it was one. */
  title: string | undefined;
  /** The places of the changes in the queue. */
  seqs: readonly number[];
}

/** Two edits of one text that met; `kept` says what the task has now. */
export interface Meeting {
  id: string;
  field: keyof Texts;
  /** `mine`: the later edit · `merged`: both, in different places · `both`: both versions of the same place. */
  kept: 'mine' | 'merged' | 'both';
  mine: string;
  theirs: string;
}

/** Why changes are not sent. */
export type Trouble = 'unreachable' | 'failing' | 'signed-out';

/** Where the replica stands. */
export interface Status {
  /** `empty`: nothing to show yet · `partial`: the first page is here · `complete`: every task not deleted is here. */
  load: 'empty' | 'partial' | 'complete';
  /** Whether changes made elsewhere arrive now. */
  live: 'connecting' | 'open' | 'closed';
  /** How many changes wait for the server. */
  waiting: number;
  /** What keeps them waiting, as long as it does. */
  trouble: Trouble | undefined;
}

/** What the user sees at one moment. Never changed: a change makes a new one. */
export interface Snapshot {
  tasks: ReadonlyMap<string, Task>;
  pending: readonly Pending[];
  refused: readonly Refusal[];
  status: Status;
}

/** What GET /ws sends (api/asyncapi.yaml). */
export type Message =
  | { type: 'hello'; list_id: string; list_version: number; filters_version: number }
  | { type: 'filters'; filters_version: number }
  | { type: 'reset'; list_version: number }
  | { type: 'reminder'; reminder: ReminderDue }
  | {
      type: 'update';
      update: { action: string; task_id: string; task: Task | null; list_version: number };
    };

/** A reminder whose moment has come. */
export interface ReminderDue {
  notification_id: string;
  reminder_id: string;
  task_id: string;
  message: string;
  channel: string;
  scheduled_time: string;
}
