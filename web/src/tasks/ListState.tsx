import { useEffect, useState } from 'react';
import { follow } from '../app/router';
import { ButtonLink } from '../design/controls';
import { useSnapshot } from '../replica/store';
import { t } from '../text';

/** What stands in place of an empty list: why it is empty, and what helps. */
export function Empty({ of, clear }: { of: keyof typeof t.list.empty; clear?: string }) {
  const [title, hint] = t.list.empty[of];
  return (
    <div className="mx-auto max-w-xs grow animate-appear px-6 pt-[14vh] text-center">
      <svg
        viewBox="0 0 120 72"
        className="mx-auto mb-6 w-32 text-edge"
        fill="none"
        stroke="currentColor"
        strokeWidth="2"
        strokeLinecap="round"
        aria-hidden="true"
      >
        <path d="M8 60h104" opacity=".5" />
        <path d="M36 60a24 24 0 0 1 48 0" className="text-accent" stroke="currentColor" />
        <path d="M60 26V16M33 37l-7-7M87 37l7-7M22 52l-9-3M98 52l9-3" opacity=".7" />
      </svg>
      <p className="text-lg font-medium">{title}</p>
      <p className="mt-1 text-soft">{hint}</p>
      {clear && (
        <ButtonLink href={clear} onClick={follow} className="mt-4">
          {t.filter.clearAll}
        </ButtonLink>
      )}
    </div>
  );
}

/** How long nothing may come before that is said, in milliseconds. */
const patience = 5_000;

/** Rows to come, in grey; a screen reader hears one sentence, and everyone another where the server does not answer. */
export function Loading() {
  const { status } = useSnapshot();
  const [long, setLong] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLong(true), patience);
    return () => clearTimeout(timer);
  }, []);
  const silent = long && status.load === 'empty';
  return (
    <div className="mx-auto w-full max-w-3xl grow px-4 pt-8 md:px-8" role="status">
      {silent ? (
        <p className="pb-4 text-soft">{t.list.unreachable}</p>
      ) : (
        <span className="sr-only">{t.list.loading}</span>
      )}
      {['w-2/5', 'w-3/5', 'w-1/3', 'w-1/2', 'w-2/5'].map((width, i) => (
        <div key={i} className="flex items-center gap-3 border-b border-line py-4">
          <div className="size-5 rounded-full bg-line" />
          <div className={`h-3.5 animate-pulse rounded-sm bg-line ${width}`} />
        </div>
      ))}
    </div>
  );
}
