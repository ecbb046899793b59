import type { BrowserContext, Request, WebSocketRoute } from 'playwright-core';

/** What a request gets instead of the server's answer; undefined lets it pass. */
export type Instead =
  { status: number; body?: unknown; headers?: Record<string, string> } | 'silence' | undefined;

/**
 * The way between a browser profile and the server, which can be cut, and on which answers can be replaced. The page
 * itself still loads when it is cut, as from a service worker's cache.
 */
export class Network {
  #cut = false;
  #instead: (request: Request) => Instead | Promise<Instead> = () => undefined;
  readonly #sockets = new Set<WebSocketRoute>();

  static async of(context: BrowserContext): Promise<Network> {
    const network = new Network();
    await context.route(/\/api\//, async (route) => {
      const instead = network.#cut ? 'silence' : await network.#instead(route.request());
      if (instead === 'silence') await route.abort('connectionfailed');
      else if (instead)
        await route.fulfill({
          status: instead.status,
          contentType: 'application/problem+json',
          body: JSON.stringify(instead.body ?? {}),
          ...(instead.headers && { headers: instead.headers }),
        });
      else await route.continue();
    });
    await context.routeWebSocket(/\/ws/, (socket) => {
      if (network.#cut) {
        void socket.close({ code: 1011 });
        return;
      }
      socket.connectToServer();
      network.#sockets.add(socket);
    });
    return network;
  }

  /** Nothing gets through any more; open sockets break. */
  async cut(): Promise<void> {
    this.#cut = true;
    await Promise.all([...this.#sockets].map((socket) => socket.close({ code: 1011 })));
    this.#sockets.clear();
  }

  heal(): void {
    this.#cut = false;
  }

  /** Replaces answers, until it is set anew. */
  answer(instead: (request: Request) => Instead | Promise<Instead>): void {
    this.#instead = instead;
  }

  pass(): void {
    this.#instead = () => undefined;
  }
}
