// Giving a field back to Plex and its user, and taking it again. A field that was given back is unlocked and left alone by
// every delivery, until a person takes it again.

import { count } from '../cli/format.ts';
import type { JobName } from '../queue/events.ts';
import type { Known } from '../queue/queue.ts';
import { wordAmong } from '../settings/word.ts';
import { FIELD_NAMES, type FieldName, plexFieldsOf } from '../sync/fields.ts';
import { byHand, type Hands } from './by-hand.ts';
import { openQueue } from './operator.ts';
import { failed, type TaskResult } from './task-result.ts';
import type { World } from './world.ts';

export interface FieldScope {
  /** Empty: every scene that was delivered. */
  readonly scenes: readonly string[];
  readonly fields: readonly FieldName[];
}

/** Names with commas between; empty: all. Throws on others, with a message for the person. */
export function fieldsNamed(text: string): readonly FieldName[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.length === 0
    ? FIELD_NAMES
    : names.map((given) => {
        const field = wordAmong(FIELD_NAMES, given);
        if (field === undefined)
          throw new Error(`"${given}" is not a field; they are ${FIELD_NAMES.join(', ')}`);
        return field;
      });
}

export async function setLocks(world: World, scope: FieldScope, by: 'lock' | 'unlock'): Promise<TaskResult> {
  const { known } = (await openQueue(world)).queue;
  const named = scope.scenes.map((id): JobName => `scene:${id}`);
  const strange = named.filter((job) => !known.has(job)).map((job) => job.replace(':', ' '));
  if (strange.length > 0) {
    return failed(
      `Nothing was done: ${strange.join(', ')} was never delivered, so nothing of it is locked.`,
      'unknown',
    );
  }
  const jobs = named.length > 0 ? named : [...known.keys()];
  if (jobs.length === 0) return failed('Nothing was done: no scene was delivered yet.', 'unknown');
  const done: JobName[] = [];
  let stopped: string | null = null;
  const result = await byHand(world, by, async (hands) => {
    for (const job of jobs) {
      const known = hands.queue.queue.known.get(job);
      if (known === undefined) continue;
      stopped = await setLock(job, known, scope.fields, by, hands);
      if (stopped !== null) break;
      done.push(job);
      world.log.progress(done.length / jobs.length);
    }
    const verb = by === 'unlock' ? 'given back' : 'taken again';
    const head = `${count(done.length, 'scene')}: ${scope.fields.join(', ')} ${verb}.`;
    const end = stopped === null ? [] : [`It ended early: ${stopped}. Run it again to go on.`];
    return {
      isOk: stopped === null,
      lines: [head, ...end],
      document: { scenes: done.length, fields: scope.fields, stopped },
    };
  });
  return result;
}

/** Null, or why not to go on. */
async function setLock(
  job: JobName,
  known: Known,
  fields: readonly FieldName[],
  by: 'lock' | 'unlock',
  { contact, queue, beforeEdit, heed }: Hands,
): Promise<string | null> {
  // The year follows the date; where it was said by itself, it is locked by itself.
  const parts = fields.flatMap(plexFieldsOf).filter((part) => by === 'unlock' || part !== 'year');
  const items = await contact.plex.items([known.item]);
  if (!items.ok) return heed(items.failure, job);
  const item = items.value[0];
  const spares: Record<string, false | null> = {};
  for (const part of fields.flatMap(plexFieldsOf)) spares[part] = by === 'lock' ? false : null;
  const { own } = known;
  await queue.appendOrThrow({
    type: 'job.attempted',
    job,
    item: known.item,
    changes: [],
    own,
    by,
    spares,
  });
  if (by === 'lock') await queue.appendOrThrow({ type: 'job.queued', job, cause: 'lock' });
  const turned = parts.filter((part) => item?.locked.has(part) !== (by === 'lock'));
  if (item === undefined || turned.length === 0) return null;
  await beforeEdit();
  const flag = by === 'lock' ? '1' : '0';
  const edited = await contact.plex.edit(
    item,
    new URLSearchParams(turned.map((part): [string, string] => [`${part}.locked`, flag])),
  );
  return edited.ok ? null : heed(edited.failure, job);
}
