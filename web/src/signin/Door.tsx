import { useEffect, type ReactNode } from 'react';
import { t } from '../text';

/** What everybody sees who is not in yet. */
export function Door({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · ${t.app}`;
  }, [title]);
  return (
    <main className="grid h-full place-items-center overflow-y-auto px-6 py-8">
      <div className="w-full max-w-sm animate-appear">
        <img src="/icon.svg" alt="" className="mx-auto mb-6 size-14" />
        <h1 className="text-center text-title font-semibold tracking-tight">{title}</h1>
        {children}
      </div>
    </main>
  );
}

/** A line for a terminal. */
export function Command({ children }: { children: string }) {
  return (
    <code className="block rounded-md border border-line bg-surface px-4 py-2 font-mono text-sm">
      {children}
    </code>
  );
}
