import { Problem } from '../api/client';
import { t } from '../text/details';
import { formatDueFull } from '../text/moments';
import { Complaint } from './Field';
import { usePreview } from './usePreview';

/**
 * When a task that is due then comes again, or why the server cannot tell. The preview begins with the due date, which is
 * known already; where there is none, with the one that the task will get.
 */
export function NextDates(props: { pattern: string | null; due: string | null; zone: string }) {
  const { pattern, due, zone } = props;
  const { data, error, isPlaceholderData } = usePreview(pattern, due);
  if (pattern === null) return null;
  if (error) {
    const refused = error instanceof Problem && !error.passing;
    return <Complaint>{refused ? error.message : t.repeat.unreachable}</Complaint>;
  }
  const next = data?.due_dates.slice(due === null ? 0 : 1);
  return (
    <div className={`mt-3 transition-opacity ${isPlaceholderData ? 'opacity-50' : ''}`}>
      <p className="text-xs font-medium text-soft">{t.repeat.next}</p>
      {next?.length === 0 ? (
        <p className="mt-1 text-sm">{t.repeat.last}</p>
      ) : (
        <ol aria-label={t.repeat.next} className="mt-1 space-y-0.5 text-sm tabular-nums">
          {next?.map((date) => (
            <li key={date}>{formatDueFull(date, zone)}</li>
          ))}
        </ol>
      )}
    </div>
  );
}
