/** The files of this build, each with its SHA-256 as `integrity` has it; written by vite.sw.config.ts. */
declare const SHELL: { version: string; files: Record<string, string> };

declare const self: ServiceWorkerGlobalScope;

const { version, files } = SHELL;

const prefix = 'docket-shell-';
const page = '/index.html';
/** How long the network may take for the page before the kept one shows, in milliseconds. */
const patience = 3_000;

export function has(path: string): boolean {
  return path in files;
}

/**
 * Keeps this build whole or not at all. The integrity makes sure of that also while a deployment is half done: a file of
 * another build fails the installation, and the browser tries again later.
 */
export async function install(): Promise<void> {
  const cache = await caches.open(prefix + version);
  await Promise.all(
    Object.entries(files).map(async ([path, integrity]) => {
      const hashed = path.startsWith('/assets/');
      const kept = hashed ? await caches.match(path) : undefined;
      const answer = kept ?? (await fetch(path, { integrity, cache: hashed ? 'default' : 'no-cache' }));
      if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
      await cache.put(path, answer);
    }),
  );
}

/** Forgets all builds but this one and the one before, of which a tab may still be open. */
export async function activate(): Promise<void> {
  const kept = (await caches.keys()).filter((name) => name.startsWith(prefix));
  await Promise.all(kept.slice(0, -2).map((name) => caches.delete(name)));
  await self.registration.navigationPreload.enable();
}

/** Answers for what belongs to the shell. Nothing else passes through here: no answer of /api is ever kept. */
export function answer(event: FetchEvent): Promise<Response> | undefined {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return undefined;
  if (request.mode === 'navigate') return url.pathname.startsWith('/api/') ? undefined : view(event);
  if (has(url.pathname) || url.pathname.startsWith('/assets/')) return file(url.pathname, request);
  return undefined;
}

async function file(path: string, request: Request): Promise<Response> {
  const own = await (await caches.open(prefix + version)).match(path);
  return own ?? (await caches.match(path)) ?? fetch(request);
}

/** The page: as the server has it, or as it was kept where the server does not answer. */
async function view(event: FetchEvent): Promise<Response> {
  const fromNetwork = load(event);
  event.waitUntil(fromNetwork.catch(() => undefined));
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), patience));
  const first = await Promise.race([fromNetwork.catch(() => undefined), late]);
  if (first && first.status < 500) return first;
  return (await caches.match(page)) ?? first ?? fromNetwork;
}

async function load(event: FetchEvent): Promise<Response> {
  const preloaded = (await event.preloadResponse) as Response | undefined;
  return preloaded ?? fetch(event.request);
}
