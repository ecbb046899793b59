import { keepPreviousData, queryOptions, useQueries, useQuery } from '@tanstack/react-query';
import { call, Problem, type Schemas } from '../api/client';
import { t } from '../text';

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

/**
 * How patterns repeat, in words, of a task that is due then: of the four that have a name at once, of others as the
 * server says it; until then nothing, and the pattern itself where the server cannot be asked.
 */
export function usePatternWords(
  patterns: readonly string[],
  due: string | null = null,
): (pattern: string) => string {
  const rules = [...new Set(patterns)].filter((pattern) => !(pattern in t.patterns));
  const answers = useQueries({ queries: rules.map((pattern) => preview(pattern, due)) });
  return (pattern) => {
    const answer = answers[rules.indexOf(pattern)];
    if (!answer) return t.patterns[pattern as keyof typeof t.patterns];
    return answer.data?.words ?? (answer.isLoading ? '' : pattern.replace(/^RRULE:/, ''));
  };
}
