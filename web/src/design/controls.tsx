/**
 * The primitives that everything is made of: buttons, chips, checkbox, switch, text field. Menus and pop-overs are in
 * menu.tsx, dialogs and sheets in Dialog.tsx, toasts in toast.tsx, colours and sizes in tokens.css.
 *
 * [Task]: T006
 */
import type { ComponentProps, ReactNode } from 'react';
import { Icon, type IconName } from './Icon';

const kinds = {
  primary: 'bg-accent text-on-accent hover:opacity-90 shadow-raised',
  plain: 'bg-surface text-ink border border-line hover:bg-hover',
  quiet: 'text-soft hover:bg-hover hover:text-ink',
  /** Quiet, but what one is here to press. */
  offer: 'text-accent hover:bg-accent-wash',
  danger: 'bg-late-wash text-late hover:opacity-90',
};

const button =
  'inline-flex h-9 items-center justify-center gap-2 rounded-md px-3.5 text-sm font-medium transition-colors';

export function Button({
  kind = 'plain',
  className = '',
  ...rest
}: ComponentProps<'button'> & { kind?: keyof typeof kinds }) {
  return (
    <button
      type="button"
      className={`${button} disabled:cursor-default disabled:opacity-50 ${kinds[kind]} ${className}`}
      {...rest}
    />
  );
}

/** A link that stands alone and looks like a button. */
export function ButtonLink({ className = '', children, ...rest }: ComponentProps<'a'>) {
  return (
    <a className={`${button} ${kinds.plain} ${className}`} {...rest}>
      {children}
    </a>
  );
}

/** A link to a file that the browser keeps, under that name. */
export function DownloadLink({ href, file, children }: { href: string; file: string; children: ReactNode }) {
  return (
    <ButtonLink href={href} download={file}>
      {children}
    </ButtonLink>
  );
}

/** A button that shows only an icon; its label is for those who cannot see it, and for the pointer that waits. */
export function IconButton({
  icon,
  label,
  className = '',
  ...rest
}: Omit<ComponentProps<'button'>, 'children'> & { icon: IconName; label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`inline-grid size-9 place-items-center rounded-md text-soft transition-colors hover:bg-hover hover:text-ink ${className}`}
      {...rest}
    >
      <Icon name={icon} />
    </button>
  );
}

/** A button with its icon, and its word where there is room for it. */
export function WordButton({
  icon,
  label,
  className = '',
  ...rest
}: Omit<ComponentProps<'button'>, 'children'> & { icon: IconName; label: string }) {
  return (
    <Button
      kind="quiet"
      aria-label={label}
      title={label}
      className={`max-md:w-9 max-md:px-0 ${className}`}
      {...rest}
    >
      <Icon name={icon} />
      <span className="max-md:hidden">{label}</span>
    </Button>
  );
}

/** A small piece of what is known: a tag, a date. `onRemove` makes it one that can be dropped. */
export function Chip({
  icon,
  children,
  tone = 'soft',
  onRemove,
  removeLabel,
}: {
  icon?: IconName;
  children: ReactNode;
  tone?: 'soft' | 'accent' | 'late';
  onRemove?: () => void;
  removeLabel?: string;
}) {
  const tones = {
    soft: 'bg-sunken text-soft',
    accent: 'bg-accent-wash text-accent',
    late: 'bg-late-wash text-late',
  };
  return (
    <span
      className={`inline-flex h-6 max-w-full items-center gap-1 rounded-sm px-2 text-xs font-medium ${tones[tone]}`}
    >
      {icon && <Icon name={icon} className="size-3.5" />}
      <span className="truncate">{children}</span>
      {onRemove && (
        <button
          type="button"
          aria-label={removeLabel}
          onClick={onRemove}
          className="-mr-1.5 grid size-6 place-items-center rounded-sm hover:text-ink"
        >
          <Icon name="close" className="size-3" />
        </button>
      )}
    </span>
  );
}

/** The round checkbox of a task; its ring tells the priority. A real checkbox lies under it. */
export function Checkbox({
  tone = 'edge',
  className = '',
  ...rest
}: Omit<ComponentProps<'input'>, 'type'> & { tone?: 'edge' | 'late' | 'low' }) {
  const rings = {
    edge: 'border-edge text-soft peer-hover:bg-hover',
    late: 'border-late bg-late-wash text-late',
    low: 'border-low text-low peer-hover:bg-hover',
  };
  return (
    <span className={`relative inline-grid size-6 shrink-0 place-items-center ${className}`}>
      <input type="checkbox" className="peer absolute -inset-1 z-10 cursor-pointer opacity-0" {...rest} />
      <span
        className={`grid size-[19px] place-items-center rounded-full border-[1.5px] transition-colors peer-checked:border-accent peer-checked:bg-accent peer-checked:text-on-accent peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-accent [&>svg]:opacity-0 peer-checked:[&>svg]:opacity-100 peer-hover:[&>svg]:opacity-100 ${rings[tone]}`}
      >
        <Icon name="check" className="size-4 transition-opacity" />
      </span>
    </span>
  );
}

/** A setting that is on or off, with what it does written beside it. */
export function Switch({
  id,
  label,
  detail,
  ...rest
}: Omit<ComponentProps<'input'>, 'type' | 'role'> & { id: string; label: string; detail?: ReactNode }) {
  return (
    <div className="flex items-start gap-4 py-2">
      <div className="min-w-0 grow">
        <label htmlFor={id} className="block font-medium">
          {label}
        </label>
        {detail && (
          <p id={`${id}-detail`} className="text-sm text-soft">
            {detail}
          </p>
        )}
      </div>
      <span className="relative mt-0.5 inline-block h-6 w-10 shrink-0">
        <input
          id={id}
          type="checkbox"
          role="switch"
          aria-describedby={detail ? `${id}-detail` : undefined}
          className="peer absolute inset-0 z-10 size-full cursor-pointer opacity-0 disabled:cursor-default"
          {...rest}
        />
        <span className="absolute inset-0 rounded-full border border-edge bg-sunken transition-colors peer-checked:border-accent peer-checked:bg-accent peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-accent peer-disabled:opacity-50 forced-colors:peer-checked:bg-[Highlight]" />
        <span className="absolute top-1 left-1 size-4 rounded-full bg-edge transition-transform peer-checked:translate-x-4 peer-checked:bg-on-accent peer-disabled:opacity-50 forced-colors:bg-[ButtonText]" />
      </span>
    </div>
  );
}

/** A labelled line of text; `hint` says what is meant, `error` what is wrong with it and what to do. */
export function TextField({
  label,
  hint,
  error,
  id,
  className = '',
  ...rest
}: ComponentProps<'input'> & { label: string; hint?: string; error?: string | undefined; id: string }) {
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-sm font-medium text-soft">
        {label}
      </label>
      <input
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? `${id}-error` : hint ? `${id}-hint` : undefined}
        className="h-10 w-full rounded-md border border-edge bg-surface px-3 text-base aria-invalid:border-late"
        {...rest}
      />
      {hint && !error && (
        <p id={`${id}-hint`} className="mt-1 text-sm text-soft">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="mt-1 text-sm text-late">
          {error}
        </p>
      )}
    </div>
  );
}

/** The six digits that an authenticator app shows; phones offer them from where they came. */
export function CodeField(props: Omit<ComponentProps<typeof TextField>, 'inputMode' | 'autoComplete'>) {
  return (
    <TextField inputMode="numeric" autoComplete="one-time-code" spellCheck={false} required {...props} />
  );
}
