/**
 * The history of one task: who changed what from what to what, and when; live, and each step can be undone.
 *
 * [Task]: T034, T069
 */
import { useNow } from '../app/clock';
import { useUser } from '../app/user';
import { Button } from '../design/controls';
import { usePatternWords } from '../panel/usePreview';
import type { Task } from '../replica/types';
import { t } from '../text/details';
import { StepItem } from './StepItem';
import { stepsOf } from './steps';
import { useTrail } from './useTrail';
import { patternsIn, type Reader } from './wording';

interface Props {
  id: string;
  task: Task;
  /** Whether a change of the task waits to be sent. */
  waiting: boolean;
}

export function History({ id, task, waiting }: Props) {
  const { trail, error, again, more, loadingMore } = useTrail({ task: id });
  const user = useUser();
  const now = useNow();
  const steps = stepsOf(trail?.entries ?? []);
  const patternWords = usePatternWords(steps.flatMap((step) => patternsIn(step.changes)));
  const reader: Reader = { id: user.id, zone: user.time_zone, patternWords };
  return (
    <section aria-labelledby="history" className="mt-6">
      <h3 id="history" className="mb-2 text-sm font-semibold">
        {t.history.title}
      </h3>
      {waiting && <p className="mb-2 text-sm text-soft">{t.history.offline}</p>}
      {error && !trail && (
        <div role="alert" className="flex items-center gap-3 text-sm text-soft">
          {t.history.failed}
          <Button onClick={again}>{t.history.again}</Button>
        </div>
      )}
      {!trail && !error && <p className="text-sm text-soft">{t.history.loading}</p>}
      <ol className="relative space-y-4 border-l border-line pl-4">
        {steps.map((step) => (
          <StepItem key={step.id} step={step} task={task} reader={reader} now={now} />
        ))}
      </ol>
      {more && (
        <Button kind="quiet" disabled={loadingMore} onClick={more} className="mt-3">
          {t.history.more}
        </Button>
      )}
    </section>
  );
}
