import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const binary = resolve(import.meta.dirname, '../../bin/openidprovider');

/** A real OpenID provider (test/openidprovider), at which one person can sign in by their subject. */
export class OpenIDProvider {
  readonly #process: ChildProcess;
  readonly issuer: string;

  private constructor(process: ChildProcess, issuer: string) {
    this.#process = process;
    this.issuer = issuer;
  }

  /** Starts it for a client that comes back to `redirect`. */
  static async start(
    redirect: string,
    person: { subject: string; name: string; email: string },
  ): Promise<OpenIDProvider> {
    const args = [redirect, person.subject, person.name, person.email];
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      child.stdout.resume();
      return new OpenIDProvider(child, line.trim());
    }
    throw new Error(`${binary} ended without saying where it listens`);
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null) return;
    this.#process.kill('SIGINT');
    await once(this.#process, 'exit');
  }
}
