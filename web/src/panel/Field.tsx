import { useEffect, useId, useRef, type ReactNode } from 'react';
import { Icon, type IconName } from '../design/Icon';

/** One property of the task: what it is at the left, what it says at the right. */
export function Field({ icon, label, children }: { icon: IconName; label: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="grid grid-cols-[7.5rem_minmax(0,1fr)] border-t border-line py-2">
      <h3 id={id} className="flex h-9 items-center gap-2.5 text-sm text-soft">
        <Icon name={icon} className="size-4.5" />
        {label}
      </h3>
      <div className="min-w-0">{children}</div>
    </section>
  );
}

/** The value of a property as a button that opens its editor below. */
export function Value({
  label,
  open,
  onClick,
  tone = 'ink',
  children,
}: {
  label: string;
  open: boolean;
  onClick: () => void;
  tone?: 'ink' | 'soft' | 'late';
  children: ReactNode;
}) {
  const tones = { ink: 'text-ink', soft: 'text-soft', late: 'text-late' };
  return (
    <button
      type="button"
      aria-label={label}
      aria-expanded={open}
      onClick={onClick}
      className={`-mx-2 min-h-9 w-[calc(100%+0.5rem)] rounded-md px-2 py-1 text-left transition-colors hover:bg-hover aria-expanded:bg-hover ${tones[tone]}`}
    >
      {children}
    </button>
  );
}

/** Where an editor opens, below the value it changes: in sight, however far down that is. */
export function Editor({ label, children }: { label: string; children: ReactNode }) {
  const editor = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    editor.current?.scrollIntoView({ block: 'nearest', behavior: calm ? 'instant' : 'smooth' });
  }, []);
  return (
    <div
      ref={editor}
      role="group"
      aria-label={label}
      className="mt-1.5 mb-1 -ml-30 scroll-my-3 animate-appear rounded-md border border-line bg-page p-3"
    >
      {children}
    </div>
  );
}

/** What is wrong with what was typed, and what to do. */
export function Complaint({ id, children }: { id?: string; children: ReactNode }) {
  return (
    <p id={id} role="alert" className="mt-1 text-sm text-late">
      {children}
    </p>
  );
}
