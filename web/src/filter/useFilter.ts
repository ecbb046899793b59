import { useMemo } from 'react';
import { navigate, usePlace } from '../app/router';
import { isView, type View } from '../tasks/views';
import { readFilter, writeFilter, type Filter } from './url';

/** What the address shows: a view, a filter, and which saved filter that came from. */
export interface Shown {
  view: View;
  filter: Filter;
  saved: string | undefined;
}

/** What is in the address: the same filter object until it changes there. */
export function useShown(): Shown {
  const { path, query } = usePlace();
  const name = path.slice(1);
  const text = writeFilter(readFilter(query)).toString();
  const saved = query.get('filter') ?? undefined;
  return useMemo(
    () => ({
      view: isView(name) ? name : 'today',
      filter: readFilter(new URLSearchParams(text)),
      saved,
    }),
    [name, text, saved],
  );
}

/** The address of a view with a filter; what else is in the present one, such as an open task, is not kept. */
export function addressOf(view: View, filter: Filter, saved?: string): string {
  const params = writeFilter(filter);
  if (saved) params.set('filter', saved);
  return params.size > 0 ? `/${view}?${params.toString()}` : `/${view}`;
}

/** Changes the filter in the address; a search as it is typed leaves one step in the browser's history, not one a key. */
export function show({ view, filter, saved }: Shown, replace: boolean): void {
  navigate(addressOf(view, filter, saved), replace);
}
