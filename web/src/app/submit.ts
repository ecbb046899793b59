/**
 * Sending a form: the fields are read when it is sent, as a password manager has left them, and what is wrong is said at
 * its field, which gets the focus. The names of the fields are those of the API.
 *
 * [Task]: T006
 */
import { useLayoutEffect, useRef, useState, type SyntheticEvent } from 'react';
import { Problem } from '../api/client';
import { t } from '../text/forms';

/** What is wrong with fields, by their names, found before the server is asked or said better than it does. */
export class Invalid extends Error {
  override readonly name = 'Invalid';
  readonly fields: Partial<Record<string, string>>;

  constructor(fields: Partial<Record<string, string>>) {
    super(Object.values(fields).join(' '));
    this.fields = fields;
  }
}

export interface Submission {
  busy: boolean;
  /** What is wrong with a field, if anything. */
  complaint: (field: string) => string | undefined;
  /** What went wrong that is about no field of the form. */
  failure: string | undefined;
  onSubmit: (event: SyntheticEvent<HTMLFormElement>) => void;
}

/** The fields of a form, each as it is: white space may belong to a password. */
export type Fields = (name: string) => string;

/** What the last try has brought. */
interface Fault {
  fields: Partial<Record<string, string>>;
  failure: string | undefined;
}

const none: Fault = { fields: {}, failure: undefined };

export function useSubmit(send: (fields: Fields) => Promise<void>): Submission {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState(none);
  const form = useRef<HTMLFormElement>(null);
  useLayoutEffect(() => {
    if (fault !== none) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [fault]);
  const submit = async (sent: HTMLFormElement) => {
    form.current = sent;
    const data = new FormData(sent);
    setBusy(true);
    setFault(none);
    try {
      await send((name) => {
        const value = data.get(name);
        return typeof value === 'string' ? value : '';
      });
    } catch (error) {
      setFault(faultOf(error, sent));
    } finally {
      setBusy(false);
    }
  };
  return {
    busy,
    complaint: (field) => fault.fields[field],
    failure: fault.failure,
    onSubmit: (event) => {
      event.preventDefault();
      if (!busy) void submit(event.currentTarget);
    },
  };
}

/** What is about fields of the form is said there, and only there; the rest about the whole. */
function faultOf(error: unknown, form: HTMLFormElement): Fault {
  const all =
    error instanceof Invalid
      ? Object.entries(error.fields)
      : error instanceof Problem
        ? error.fields.map(({ field, detail }) => [field, detail] as const)
        : [];
  const fields = Object.fromEntries(all.filter(([field]) => form.elements.namedItem(field)));
  return { fields, failure: Object.keys(fields).length > 0 ? undefined : failureOf(error) };
}

/** What went wrong as a whole, in words for people; undefined if nothing did. */
export function failureOf(error: unknown): string | undefined {
  if (error === undefined || error === null) return undefined;
  if (error instanceof Invalid) return error.message;
  if (!(error instanceof Problem)) return t.unreachable;
  if (error.status === 429) return error.retryAfter ? t.tooMany(error.retryAfter) : t.tooManyAtAll;
  return error.passing ? t.unreachable : error.message;
}

/** The shortest password that the server takes, in characters. */
const shortest = 8;

/** The field `password`, for a new one. */
export function newPassword(field: Fields): string {
  const password = field('password');
  if (Array.from(password).length < shortest) throw new Invalid({ password: t.shortPassword });
  return password;
}
