import { useEffect, useEffectEvent, useRef } from 'react';
import { useNow } from '../app/clock';
import { navigate, usePlace } from '../app/router';
import { useUser } from '../app/user';
import { Button } from '../design/controls';
import { Changes } from '../history/Changes';
import { stepOf, type Step } from '../history/steps';
import { useTrail } from '../history/useTrail';
import { actionText, actorText, patternsIn, type Reader } from '../history/wording';
import { openTask } from '../panel/address';
import { usePatternWords } from '../panel/usePreview';
import { t } from '../text/account';
import { formatAgo, formatExact } from '../text/moments';
import { activityAddress, readActivity, trailFilter } from './filter';
import { FilterBar } from './FilterBar';

/** The audit trail of the account: newest first, older ones as one scrolls, and live. */
export function Trail() {
  const { query } = usePlace();
  const user = useUser();
  const now = useNow();
  const filter = readActivity(query);
  const { trail, error, again, more, loadingMore } = useTrail(trailFilter(filter, user.time_zone));
  const steps = (trail?.entries ?? []).map(stepOf);
  const patternWords = usePatternWords(steps.flatMap((step) => patternsIn(step.changes)));
  const reader: Reader = { id: user.id, zone: user.time_zone, patternWords };
  return (
    <>
      <p className="mb-4 text-sm text-soft">{t.activity.hint}</p>
      <FilterBar filter={filter} onChange={(part) => navigate(activityAddress(part, query), true)} />
      {error && !trail && (
        <p role="alert" className="flex items-center gap-3 text-soft">
          {t.activity.failed} <Button onClick={again}>{t.activity.again}</Button>
        </p>
      )}
      {!trail && !error && (
        <p role="status" className="text-soft">
          {t.activity.loading}
        </p>
      )}
      <ol aria-label={t.activity.tabs.trail} className="divide-y divide-line">
        {steps.map((step) => (
          <Item key={step.id} step={step} reader={reader} now={now} />
        ))}
      </ol>
      {trail && !more && (
        <p className="py-4 text-sm text-soft">{steps.length === 0 ? t.activity.none : t.activity.end}</p>
      )}
      {more && <Older more={more} loading={loadingMore} />}
    </>
  );
}

function Item({ step, reader, now }: { step: Step; reader: Reader; now: number }) {
  return (
    <li className="py-3 text-sm">
      <div className="flex items-baseline gap-2">
        <p className="min-w-0 grow wrap-anywhere">
          <span className="font-medium">{actorText(step.actor, reader)}</span> {actionText(step)}:{' '}
          <button
            type="button"
            dir="auto"
            onClick={() => openTask(step.task.id)}
            className="text-left text-accent hover:underline"
          >
            {step.task.title}
          </button>
        </p>
        <time
          dateTime={new Date(step.at).toISOString()}
          title={formatExact(step.at, reader.zone)}
          className="shrink-0 text-xs text-soft"
        >
          {formatAgo(step.at, Math.max(now, step.at))}
        </time>
      </div>
      <Changes changes={step.changes} reader={reader} />
    </li>
  );
}

/** Loads older entries when it comes into sight; a button too, for whoever has no scroll. */
function Older({ more, loading }: { more: () => void; loading: boolean }) {
  const place = useRef<HTMLDivElement>(null);
  const load = useEffectEvent(() => {
    if (!loading) more();
  });
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const onSight: IntersectionObserverCallback = ([seen]) => {
      if (seen?.isIntersecting) load();
    };
    const watch = new IntersectionObserver(onSight, { rootMargin: '400px' });
    watch.observe(element);
    return () => watch.disconnect();
  }, [loading]); // watched anew after each page: what is still in sight wants the next one
  return (
    <div ref={place} className="py-4">
      <Button disabled={loading} onClick={more}>
        {loading ? t.activity.loading : t.activity.more}
      </Button>
    </div>
  );
}
