/**
 * The API, typed by the contract in api/openapi.json: `schema.d.ts` is generated from it, and a check fails when it
 * is stale. Refusals are thrown as {@link Problem}, silence as {@link Unreachable}; a 401 also tells the session.
 *
 * [Task]: T061
 */
import { Problem, problemOf, Unreachable } from './problem';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Operation<P extends keyof paths, M extends Method> = Extract<paths[P][M], { responses: unknown }>;
/** The paths that have a method. */
export type PathWith<M extends Method> = {
  [P in keyof paths]: Operation<P, M> extends never ? never : P;
}[keyof paths];

type Content<R> = R extends { content: { 'application/json': infer B } } ? B : undefined;
type Answers<O> = O extends { responses: infer R } ? R : never;
type Well<R> = Extract<keyof R, 200 | 201 | 202 | 204>;
type WellOf<R> = { [S in Well<R>]: Content<R[S]> }[Well<R>];
/** The body of the answer when all is well. */
export type Answer<P extends keyof paths, M extends Method> = WellOf<Answers<Operation<P, M>>>;

type Input<O, Name extends string> = O extends { parameters: Partial<Record<Name, infer V>> } ? V : never;
type Body<O> = O extends { requestBody?: { content: { 'application/json': infer B } } } ? B : undefined;

/** What a call may be given. */
export interface Options<P extends keyof paths, M extends Method> {
  path?: Input<Operation<P, M>, 'path'>;
  query?: Input<Operation<P, M>, 'query'>;
  body?: Body<Operation<P, M>>;
  /** Makes a creation safe to repeat. */
  idempotencyKey?: string;
  /** The ETag a change was made for. */
  ifMatch?: string;
  /** The id of the user it is for: refused with 401 where the browser is signed in as another by now. */
  user?: string;
  signal?: AbortSignal;
}

/** An answer with what its headers say. */
export interface Reply<B> {
  body: B;
  /** The task's ETag. */
  etag: string | undefined;
  /** The list's version that the answer is from, or that the change made. */
  listVersion: number | undefined;
  /** The cursor of the next page. */
  next: string | undefined;
  /** How many there are on all pages. */
  total: number | undefined;
}

let onSignedOut: (other: boolean) => void = () => undefined;

/** Sets who is told that the server does not know who is asking (any more), or knows them as an `other` user. */
export function whenSignedOut(tell: (other: boolean) => void): void {
  onSignedOut = tell;
}

/** How long an answer may take, in milliseconds. */
const patience = 20_000;

/** Makes one call. The path is written as in the contract: `call('get', '/api/tasks/{id}', { path: { id } })`. */
export async function call<M extends Method, P extends PathWith<M>>(
  method: M,
  path: P,
  options: Options<P, M> = {},
): Promise<Reply<Answer<P, M>>> {
  const answer = await send(method, address(path, options.path, options.query), options);
  if (!answer.ok) {
    const problem = await problemOf(answer);
    if (problem.status === 401) onSignedOut(problem.code === 'other_user');
    throw problem;
  }
  return {
    body: (await bodyOf(answer)) as Answer<P, M>,
    etag: answer.headers.get('ETag') ?? undefined,
    listVersion: numberIn(answer, 'List-Version'),
    next: nextIn(answer.headers.get('Link')),
    total: numberIn(answer, 'X-Total-Count'),
  };
}

interface Sent {
  body?: unknown;
  idempotencyKey?: string;
  ifMatch?: string;
  user?: string;
  signal?: AbortSignal;
}

async function send(method: Method, url: string, options: Sent): Promise<Response> {
  const headers = new Headers({ Accept: 'application/json' });
  if (options.body !== undefined) headers.set('Content-Type', 'application/json');
  if (options.idempotencyKey) headers.set('Idempotency-Key', options.idempotencyKey);
  if (options.ifMatch) headers.set('If-Match', options.ifMatch);
  if (options.user) headers.set('Docket-User', options.user);
  const limit = AbortSignal.timeout(patience);
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit;
  const body = options.body === undefined ? null : JSON.stringify(options.body);
  try {
    return await fetch(url, {
      method: method.toUpperCase(),
      headers,
      body,
      signal,
      credentials: 'same-origin',
    });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new Unreachable('The server cannot be reached.', { cause });
  }
}

async function bodyOf(answer: Response): Promise<unknown> {
  if (answer.status === 204) return undefined;
  try {
    return await answer.json();
  } catch (cause) {
    throw new Unreachable('The connection broke before the whole answer was there.', { cause });
  }
}

function address(template: string, path: unknown, query: unknown): string {
  let url = template;
  for (const [name, value] of Object.entries((path ?? {}) as Record<string, string>)) {
    url = url.replace(`{${name}}`, encodeURIComponent(value));
  }
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) search.append(name, String(one));
    }
  }
  return search.size > 0 ? `${url}?${search.toString()}` : url;
}

function numberIn(answer: Response, header: string): number | undefined {
  const value = answer.headers.get(header);
  return value === null ? undefined : Number(value);
}

/** Reads the cursor in `Link: </api/tasks?cursor=…>; rel="next"` (RFC 8288). */
function nextIn(link: string | null): string | undefined {
  const target = /<([^>]*)>;\s*rel="next"/.exec(link ?? '')?.[1];
  return target ? (new URL(target, location.origin).searchParams.get('cursor') ?? undefined) : undefined;
}

export { Problem, Unreachable };
