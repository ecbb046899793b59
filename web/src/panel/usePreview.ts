import { keepPreviousData, queryOptions, useQueries, useQuery } from '@tanstack/react-query';
import { call, Problem, type Schemas } from '../api/client';

/** What a recurrence pattern means: in words, and the next five due dates from a due date on. */
function preview(pattern: string, due: string | null) {
  return queryOptions({
    queryKey: ['recurrence', pattern, due],
    queryFn: async ({ signal }): Promise<Schemas['PreviewOutputBody']> => {
      const body = { recurrence_pattern: pattern, ...(due !== null && { due_date: due }) };
      return (await call('post', '/api/recurrence/preview', { body, signal })).body;
    },
    staleTime: Infinity,
    retry: (tries, error) => tries < 1 && !(error instanceof Problem && !error.passing),
  });
}

/** Asks what a pattern means; while the next one is asked for, the answer before stays. */
export function usePreview(pattern: string | null, due: string | null) {
  return useQuery({
    ...preview(pattern ?? '', due),
    enabled: pattern !== null,
    placeholderData: keepPreviousData,
  });
}

/** The words of patterns, as far as they are known by now; of others the pattern itself. */
export function usePatternWords(patterns: readonly string[]): (pattern: string) => string {
  const known = new Map<string, string>();
  const answers = useQueries({ queries: [...new Set(patterns)].map((pattern) => preview(pattern, null)) });
  [...new Set(patterns)].forEach((pattern, i) => {
    const words = answers[i]?.data?.words;
    if (words) known.set(pattern, words);
  });
  return (pattern) => known.get(pattern) ?? pattern.replace(/^RRULE:/, '');
}
