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

/** One change that the user made. Each names one task, and applying it twice is the same as applying it once. */
export type Change =
  | { kind: 'create'; id: string; key: string; body: NewTask }
  | { kind: 'update'; id: string; patch: TaskPatch }
  | { kind: 'tags'; id: string; add: string[]; remove: string[] }
  | { kind: 'complete' | 'reopen' | 'delete' | 'restore'; id: string };

/** A change that the server has not acknowledged yet. */
export interface Pending {
  /** Its place in the queue, over all tabs. */
  seq: number;
  change: Change;
  /** When the user made it: RFC 3339, UTC. */
  at: string;
}

/** A change that the server refused: it is out of the queue, and the user is told what to do. */
export interface Refusal {
  pending: Pending;
  code: string;
  message: string;
  fields: readonly Schemas['FieldError'][];
}

/** Where the replica stands. */
export interface Status {
  /** `empty`: nothing to show yet · `partial`: the first page is here · `complete`: every task not deleted is here. */
  load: 'empty' | 'partial' | 'complete';
  /** Whether changes made elsewhere arrive now. */
  live: 'connecting' | 'open' | 'closed';
  /** How many changes wait for the server. */
  waiting: number;
}

/** What the user sees at one moment. Never changed: a change makes a new one. */
export interface Snapshot {
  tasks: ReadonlyMap<string, Task>;
  pending: readonly Pending[];
  status: Status;
}

/** What GET /ws sends (api/asyncapi.yaml). */
export type Message =
  | { type: 'hello'; list_id: string; list_version: number }
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
