import { useQuery } from '@tanstack/react-query';
import { call } from '../api/client';
import { t } from '../text';

/** What a pattern says in few words. Rules are understood on the server only; each is asked for once. */
export function usePatternWords(pattern: string, due: string | null): string {
  const known = t.patterns[pattern as keyof typeof t.patterns] as string | undefined;
  const asked = useQuery({
    queryKey: ['pattern', pattern],
    queryFn: async ({ signal }) => {
      const body = { recurrence_pattern: pattern, ...(due !== null && { due_date: due }) };
      return (await call('post', '/api/recurrence/preview', { body, signal })).body.words;
    },
    enabled: known === undefined,
    staleTime: Infinity,
  });
  return known ?? asked.data ?? '';
}
