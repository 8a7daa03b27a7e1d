// Check Plex: a person asks whether Plex is there and accepts the token. A good answer ends what stood in the way: an
// outage, a refusal, a pause, another server than before.

import { ControlLog, probeUnderLease } from '../breaker/index.ts';
import { QueueLog } from '../queue/queue-log.ts';
import type { PlexPort } from '../sync/deliver.ts';
import { saveControlCheckpoint } from './save-checkpoints.ts';
import { problemLines, settingsNow } from './settings-now.ts';
import { failed, type TaskResult } from './task-result.ts';
import type { World } from './world.ts';

export async function checkPlex(world: World): Promise<TaskResult> {
  const given = await settingsNow(world);
  if (!given.ok) return failed(given.failure.detail, 'stash');
  const read = given.value;
  const problems = problemLines(read);
  if (!read.ok) return { isOk: false, lines: problems, document: { symptom: 'settings', problems } };
  const { journal, controlCheckpoint } = world.dir;
  const control = await ControlLog.open(journal, world.writer, controlCheckpoint.read());
  const under = world.fingerprint(read.settings);
  const { server: before } = control.state.breaker.context;
  const plex = world.connectPlex(read.settings, before.under === under && before.id !== '');
  try {
    const answered = await plex.probe('');
    if (!answered.ok) return failed(answered.failure.detail, answered.failure.symptom, problems);
    const { version, machineIdentifier } = answered.value;
    const lines = [`Plex ${version} answers and accepts the token.`, ...problems];
    const { server } = control.state.breaker.context;
    if (machineIdentifier !== server.id || under !== server.under) {
      const accepted = { id: machineIdentifier, under };
      await control.appendOrThrow({ type: 'policy.set', policy: read.settings.policy, server: accepted });
      const isOther = server.id !== '' && machineIdentifier !== server.id;
      if (isOther) lines.push('It is not the server that was there before; from now on it is the right one.');
    }
    for (const hold of ['config', 'throttle'] as const) {
      if (control.state[hold].value !== 'held') continue;
      await control.appendOrThrow({
        type: 'hold.released',
        hold,
        reason: 'a person checked: Plex accepts us',
      });
      lines.push('What stood in the way is gone; changes are delivered again.');
    }
    const ended = control.state.breaker.value === 'open' ? await endOutage(world, control, plex) : null;
    saveControlCheckpoint(world, control);
    if (ended?.kind === 'away') return failed(ended.line, ended.symptom, problems);
    if (ended !== null) lines.push(ended.line);
    return { isOk: true, lines, document: { plex: 'ok', version, machineIdentifier, problems } };
  } finally {
    await plex.close();
  }
}

type Ended =
  | { readonly kind: 'over'; readonly line: string }
  | { readonly kind: 'away'; readonly line: string; readonly symptom: string };

async function endOutage(world: World, control: ControlLog, plex: PlexPort): Promise<Ended> {
  const { writer, dir } = world;
  const { pending } = (await QueueLog.open(dir.journal, writer, dir.queueCheckpoint.read())).queue.counts;
  const probed = await probeUnderLease({
    control,
    writer,
    probe: (known) => plex.probe(known),
    pending,
    isForced: true,
  });
  switch (probed.kind) {
    case 'back':
      return { kind: 'over', line: 'The outage is over; the next drainer delivers what waits.' };
    case 'away':
      return {
        kind: 'away',
        line: `Plex answered, but was gone again at once: ${probed.failure.detail}`,
        symptom: probed.failure.symptom,
      };
    case 'not-ours':
      return {
        kind: 'over',
        line: 'Another process is asking Plex at this moment, and will see that it is back.',
      };
  }
}
