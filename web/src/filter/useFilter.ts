import { useMemo } from 'react';
import { usePlace } from '../app/router';
import type { Query } from '../replica/query';
import { readFilter } from './url';

/** The filter in the address: the same object until the address changes. */
export function useFilter(): Query {
  const { query } = usePlace();
  const text = query.toString();
  return useMemo(() => readFilter(new URLSearchParams(text)), [text]);
}
