import { useLayoutEffect, useRef, type ReactNode } from 'react';
import { t } from '../text';
import { IconButton } from './controls';
import { ToastRegion } from './toast';

const shapes = {
  dialog: 'm-auto w-[min(32rem,calc(100vw-2rem))] rounded-lg',
  /** From the right on a wide screen, from below on a phone. */
  sheet:
    'mt-auto mb-0 w-full max-w-none rounded-t-lg md:my-0 md:mr-0 md:ml-auto md:h-dvh md:max-h-dvh md:w-[27rem] md:rounded-none md:rounded-l-lg',
};

/**
 * A dialog or a sheet. The browser's own <dialog> keeps the focus inside, closes on Escape and makes the rest inert;
 * Radix would inject a <style>, which the page's Content-Security-Policy forbids.
 */
export function Dialog({
  title,
  shape = 'dialog',
  reading = false,
  onClose,
  children,
}: {
  title: string;
  /** There is nothing in it but text: the text itself takes the focus, so that keys scroll it. */
  reading?: boolean;
  shape?: keyof typeof shapes;
  onClose: () => void;
  children: ReactNode;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  // Before the elements go, not after: only then does closing give the focus back to where it was.
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events -- a click beside it closes it, as Escape does
    <dialog
      ref={ref}
      aria-label={title}
      onClose={onClose}
      onClick={(e) => {
        if (e.target === ref.current) onClose();
      }}
      className={`max-h-[85dvh] animate-rise overflow-clip border border-line bg-surface p-0 text-ink shadow-float ${shapes[shape]}`}
    >
      <div className="flex max-h-[inherit] flex-col">
        <div className="flex items-center justify-between gap-2 py-2 pr-2 pl-5">
          <h2 className="truncate text-lg font-semibold">{title}</h2>
          <IconButton icon="close" label={t.close} onClick={onClose} />
        </div>
        <div
          {...(reading && { tabIndex: 0, role: 'region', 'aria-label': title })}
          className="overflow-y-auto px-5 pt-1 pb-5 -outline-offset-2"
        >
          {children}
        </div>
      </div>
      <ToastRegion />
    </dialog>
  );
}
