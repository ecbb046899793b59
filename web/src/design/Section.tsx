import { useId, type ReactNode } from 'react';

/** A part of a page of settings. */
export function Section({ title, hint, children }: { title: string; hint?: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="border-t border-line py-6">
      <h2 id={id} className="text-lg font-semibold">
        {title}
      </h2>
      {hint && <p className="mt-0.5 text-sm text-soft">{hint}</p>}
      <div className="mt-4 space-y-4">{children}</div>
    </section>
  );
}

/** What a field means, below it. */
export function Hint({ children }: { children: ReactNode }) {
  return <p className="mt-1 text-sm text-soft">{children}</p>;
}
