import { useQuery } from '@tanstack/react-query';
import { call } from '../api/client';
import { useReplica, useSnapshot } from '../replica/store';
import { formatNumber } from '../text';
import { t } from '../text/account';

/** What is running, and how this browser stands to it. */
export function System() {
  const replica = useReplica();
  const { tasks, status } = useSnapshot();
  const { data, error } = useQuery({
    queryKey: ['about'],
    queryFn: async ({ signal }) => (await call('get', '/api/about', { signal })).body,
  });
  const running = data && [data.version, data.commit.slice(0, 12), data.go].filter(Boolean).join(' · ');
  const rows: [string, string][] = [
    [t.activity.version, error ? t.activity.unknown : (running ?? t.activity.loading)],
    [t.activity.connection, t.activity.connected[status.live]],
    [t.activity.listVersion, replica.version < 0 ? t.activity.unknown : formatNumber(replica.version)],
    [t.activity.tasks, formatNumber(tasks.size)],
    [t.activity.waiting, formatNumber(status.waiting)],
  ];
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-8 gap-y-2">
      {rows.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd className="wrap-anywhere tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
