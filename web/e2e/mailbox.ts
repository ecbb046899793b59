import { EventEmitter, once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** A mail server on this machine: it takes each message that it is sent (SMTP, RFC 5321) and keeps it. */
export class Mailbox {
  readonly #server: Server;
  readonly #letters: string[] = [];
  readonly #news = new EventEmitter();

  private constructor() {
    this.#server = createServer((socket) => void this.#talk(socket));
  }

  static async open(): Promise<Mailbox> {
    const box = new Mailbox();
    await new Promise<void>((listens) => box.#server.listen(0, '127.0.0.1', listens));
    return box;
  }

  /** The flags by which docket sends to it. */
  get flags(): string[] {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the mail server is closed');
    const port = String(address.port);
    return [
      '--smtp-host=127.0.0.1',
      `--smtp-port=${port}`,
      '--smtp-tls=none',
      '--smtp-from=docket@docket.test',
    ];
  }

  /** The next message that has not been taken yet: header and text, each line as it was before it was wrapped. */
  async next(): Promise<string> {
    for (;;) {
      const letter = this.#letters.shift();
      if (letter !== undefined) return letter.replaceAll('=\n', '');
      await once(this.#news, 'letter');
    }
  }

  close(): void {
    this.#server.close();
  }

  async #talk(socket: Socket): Promise<void> {
    const say = (line: string) => socket.write(`${line}\r\n`);
    const lines = createInterface({ input: socket });
    say('220 localhost');
    let text: string[] | undefined;
    for await (const line of lines) {
      if (text && line !== '.') {
        text.push(line.replace(/^\./, ''));
      } else if (text) {
        this.#letters.push(text.join('\n'));
        text = undefined;
        this.#news.emit('letter');
        say('250 taken');
      } else if (/^DATA/i.test(line)) {
        text = [];
        say('354 go on');
      } else if (/^QUIT/i.test(line)) {
        say('221 bye');
        socket.end();
      } else {
        say('250 ok');
      }
    }
  }
}
