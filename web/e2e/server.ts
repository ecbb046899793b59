import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const binary = resolve(import.meta.dirname, '../../bin/docket');

/** Calls the API as one user's program; answers whatever the server says. */
export type Caller = (method: string, path: string, body?: unknown) => Promise<Response>;

/** The real binary, on a free port and a folder of its own. */
export class Server {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** The link of the first start, which signs a browser in once. */
  readonly link: string;
  readonly #process: ChildProcess;
  readonly #folder: string;

  private constructor(process: ChildProcess, folder: string, url: string, link: string) {
    this.#process = process;
    this.#folder = folder;
    this.url = url;
    this.link = link;
  }

  /** Starts it, with further flags of `docket` if wanted. */
  static async start(...flags: string[]): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), 'docket-web-'));
    const child = spawn(binary, ['--listen', '127.0.0.1:0', '--data', join(folder, 'data'), ...flags], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const link = /(http:\/\/\S+)\/signin#\S+/.exec(line);
      if (!link?.[1]) continue;
      child.stdout.resume();
      return new Server(child, folder, link[1], link[0].trim());
    }
    throw new Error(`${binary} ended without a sign-in link`);
  }

  /** Calls the API with the owner's token, as another program would. */
  async api(method: string, path: string, body?: unknown): Promise<Response> {
    const token = (await readFile(join(this.#folder, 'data/owner.token'), 'utf8')).trim();
    const answer = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  }

  /** Makes a user with that password; returns how to call the API as them. */
  async newUser(name: string, password: string): Promise<Caller> {
    const { token } = (await (await this.api('POST', '/api/users', { name })).json()) as { token: string };
    const call: Caller = (method, path, body) =>
      fetch(this.url + path, {
        method,
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    const answer = await call('PUT', '/api/me/password', { password });
    if (!answer.ok) throw new Error(`password: ${answer.status} ${await answer.text()}`);
    return call;
  }

  /** A new link that signs a browser in once. */
  async newLink(): Promise<string> {
    const { code } = (await (await this.api('POST', '/api/session/link')).json()) as { code: string };
    return `${this.url}/signin#${code}`;
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGTERM');
      await once(this.#process, 'exit');
    }
    await rm(this.#folder, { recursive: true, force: true });
  }
}
