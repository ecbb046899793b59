import { useLayoutEffect, type RefObject } from 'react';

const anchored = CSS.supports('anchor-name: --toast-floor');

/**
 * Does what `.toasts` in tokens.css asks of anchor positioning where the browser has none: says in `--floor` how far the
 * bottom of the last `.toast-floor` is from the bottom of the window, as long as there is something to show.
 */
export function useFloor(toasts: RefObject<HTMLElement | null>, shown: boolean): void {
  useLayoutEffect(() => {
    if (anchored || !shown) return;
    const watcher = new ResizeObserver(place);
    function place(): void {
      const floors = document.querySelectorAll('.toast-floor');
      floors.forEach((floor) => watcher.observe(floor)); // one that goes is told of, too: its size is nothing then
      const bottom = floors[floors.length - 1]?.getBoundingClientRect().bottom ?? innerHeight;
      toasts.current?.style.setProperty('--floor', `${innerHeight - bottom}px`);
    }
    place();
    addEventListener('resize', place);
    return () => {
      watcher.disconnect();
      removeEventListener('resize', place);
    };
  }, [toasts, shown]);
}
