import type { components } from './schema';

/** What is wrong with one field of a request. */
export type FieldError = components['schemas']['FieldError'];

/**
 * The server's refusal, as it explains it (RFC 9457). `code` is for programs, `message` for people, `fields` says
 * what is wrong with which field.
 */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly fields: readonly FieldError[];
  /** Seconds after which to try again, where the server says so. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    fields: readonly FieldError[] = [],
    retryAfter?: number,
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.fields = fields;
    this.retryAfter = retryAfter;
  }

  /** What is wrong with one field, if anything. */
  field(name: string): string | undefined {
    return this.fields.find((f) => f.field === name)?.detail;
  }

  /** Whether the same request may succeed later, without being changed. */
  get passing(): boolean {
    return this.status >= 500 || this.status === 429 || this.status === 408;
  }
}

/** The server could not be reached, or did not answer: whether it took the request is not known. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** Reads the problem in an answer, whoever gave it: a proxy in between may answer in HTML. */
export async function problemOf(answer: Response): Promise<Problem> {
  const after = Number(answer.headers.get('Retry-After') ?? NaN);
  const retryAfter = Number.isFinite(after) ? after : undefined;
  try {
    const p = (await answer.json()) as Partial<components['schemas']['Problem']>;
    return new Problem(
      answer.status,
      p.code ?? 'unknown',
      p.detail ?? p.title ?? answer.statusText,
      p.errors ?? [],
      retryAfter,
    );
  } catch {
    return new Problem(
      answer.status,
      'unknown',
      answer.statusText || `status ${answer.status}`,
      [],
      retryAfter,
    );
  }
}
