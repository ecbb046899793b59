/** What the page says to the service worker, and the worker to the page. */
export type ToWorker =
  /** Take over from the worker before. */
  | { type: 'activate' }
  /** Answer on the port whether the shell that the worker holds has this file. */
  | { type: 'has'; path: string }
  /** Send what was chosen on notifications and waits for the network or for its user. */
  | { type: 'flush' };

/** Show a place in the app: a notification was clicked. */
export interface ToPage {
  type: 'open';
  to: string;
}
