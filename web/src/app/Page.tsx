import { useEffect, type ReactNode } from 'react';
import { say } from '../design/say';
import { t } from '../text';
import { Corner } from './Corner';

/** A page beside the list: its title, what can be done with all of it, and what it shows, which scrolls. */
export function Page({
  title,
  actions,
  children,
}: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · ${t.app}`;
    say(title);
  }, [title]);
  return (
    <div className="min-h-0 grow overflow-y-auto overscroll-contain">
      <div className="mx-auto w-full max-w-3xl px-4 pt-5 pb-16 md:px-8 md:pt-10">
        <header className="mb-4 flex min-h-9 flex-wrap items-start gap-x-3 gap-y-1">
          <h1 className="min-w-24 grow basis-0 py-0.5 text-title font-semibold tracking-tight">{title}</h1>
          <Corner />
          {actions}
        </header>
        {children}
      </div>
    </div>
  );
}
