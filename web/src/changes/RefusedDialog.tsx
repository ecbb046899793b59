/**
 * What the server refused: each change with what was wanted, why it was not made, and what to do now. Nothing leaves
 * here but by the user's choice.
 *
 * [Task]: T061
 */
import { useState } from 'react';
import { setDraft } from '../app/drafts';
import { useUser } from '../app/user';
import { Button } from '../design/controls';
import { Dialog } from '../design/Dialog';
import { toast } from '../design/toast';
import { useRefused, useReplica } from '../replica/store';
import { keyedTaskId, newKey } from '../replica/taskid';
import { t } from '../text';
import {
  changesFor,
  choicesOf,
  mattersOf,
  reasonsOf,
  textOf,
  valuesOf,
  wishOf,
  type Choice,
  type Matter,
} from './refusal';

export default function RefusedDialog({ onClose }: { onClose: () => void }) {
  const matters = mattersOf(useRefused());
  return (
    <Dialog title={t.refused.heading} onClose={onClose}>
      <p className="text-sm text-soft">{t.refused.explain}</p>
      <ul>
        {matters.map((matter) => (
          <Item key={matter.id} matter={matter} onSettled={() => matters.length === 1 && onClose()} />
        ))}
      </ul>
    </Dialog>
  );
}

function Item({ matter, onSettled }: { matter: Matter; onSettled: () => void }) {
  const replica = useReplica();
  const user = useUser();
  const [busy, setBusy] = useState(false);
  const [first] = matter.refusals;
  if (!first) return null;
  const { change } = first.pending;
  const settle = async (choice?: Choice) => {
    setBusy(true);
    const fresh = () => {
      const key = newKey();
      return { id: keyedTaskId(user.id, key), key };
    };
    try {
      if (choice === 'edit' && change.kind === 'create') {
        const text = change.body.quick ?? change.body.title ?? '';
        setDraft(user.id, 'quickadd', { text, plain: [], without: [] });
      }
      await replica.settle(matter.refusals, choice ? changesFor(matter, choice, fresh) : []);
      onSettled();
    } catch {
      toast({ text: t.unkept, tone: 'late', lasts: 0 });
      setBusy(false);
    }
  };
  const values = matter.refusals.flatMap((r) => valuesOf(r.pending.change));
  return (
    <li className="mt-4 border-t border-line pt-4">
      <h3 dir="auto" className="font-medium wrap-anywhere">
        {wishOf(first)}
      </h3>
      {reasonsOf(first).map((reason) => (
        <p key={reason} className="mt-1 text-sm text-late">
          {reason}
        </p>
      ))}
      <Values values={values} />
      <div className="mt-3 flex flex-wrap gap-2">
        {choicesOf(matter).map((choice, i) => (
          <Button
            key={choice}
            kind={i === 0 ? 'primary' : 'plain'}
            disabled={busy}
            onClick={() => void settle(choice)}
          >
            {t.refused[choice]}
          </Button>
        ))}
        {values.length > 0 && (
          <Button
            onClick={() => void copy(textOf(matter)).then((ok) => ok && toast({ text: t.refused.copied }))}
          >
            {t.refused.copy}
          </Button>
        )}
        <Button kind="quiet" disabled={busy} onClick={() => void settle()}>
          {change.kind === 'create' ? t.refused.discardNew : t.refused.discard}
        </Button>
      </div>
    </li>
  );
}

function Values({ values }: { values: readonly [string, string][] }) {
  return (
    <dl className="mt-2 text-sm">
      {values.map(([name, value]) => (
        <div key={name} className="mt-1">
          <dt className="text-soft">{name}</dt>
          <dd
            dir="auto"
            className="max-h-40 overflow-y-auto rounded-sm bg-sunken px-2 py-1 whitespace-pre-wrap select-all wrap-anywhere"
          >
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Puts text into the clipboard; pages on plain HTTP have none, but there the text can be selected. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
