// The metrics read as Prometheus reads them, and say what the journal says.
import { expect, test } from 'vitest';
import { VirtualWorld } from '../support/virtual-world.ts';

interface Sample {
  readonly value: number;
  readonly type: string;
}

/** The text format, strictly: HELP, TYPE, then samples of that name. */
function parse(text: string): Map<string, Sample> {
  const samples = new Map<string, Sample>();
  let [helped, typed, type] = ['', '', ''];
  expect(text.endsWith('\n')).toBe(true);
  for (const line of text.slice(0, -1).split('\n')) {
    const help = /^# HELP ([a-z_]+) (.+)$/.exec(line);
    const head = /^# TYPE ([a-z_]+) (gauge|counter)$/.exec(line);
    if (help !== null) [helped] = [help[1]!];
    else if (head !== null) {
      [typed, type] = [head[1]!, head[2]!];
      expect(typed).toBe(helped);
      expect([...samples.keys()].some((name) => name.split('{')[0] === typed)).toBe(false);
    } else {
      const sample =
        /^([a-zA-Z_:][a-zA-Z0-9_:]*)((?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+\})?) (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.exec(
          line,
        );
      expect(sample, line).not.toBe(null);
      expect(sample![1]).toBe(typed);
      if (type === 'counter') expect(typed).toMatch(/_total$/);
      samples.set(`${sample![1]}${sample![2]}`, { value: Number(sample![3]), type });
    }
  }
  return samples;
}

async function metrics(world: VirtualWorld): Promise<Map<string, Sample>> {
  return parse((await world.run('export', { format: 'prometheus' })).file!.text);
}

test('of an empty journal: what is known is said, what is not is left out', async () => {
  const samples = await metrics(new VirtualWorld());
  expect(samples.get('breakwater_breaker_state{state="closed"}')?.value).toBe(1);
  expect(samples.get('breakwater_outages_total')?.value).toBe(0);
  expect([...samples.keys()].join()).not.toMatch(/last_delivery|mean_time|availability|oldest/);
});

test('of an outage with jobs that wait, and after it', async () => {
  const world = VirtualWorld.withScenes(3);
  await world.queued('scene:1');
  await world.drain();
  const isBack = world.plex.goAway();
  await world.queued('scene:2', 'scene:3');
  await world.drain({ mayWait: false });
  await world.run('hold', { stance: 'open', for: '1m', reason: 'x' });
  const during = await metrics(world);
  const sampleOf = (samples: Map<string, Sample>, name: string) => samples.get(`breakwater_${name}`)?.value;
  expect(sampleOf(during, 'breaker_state{state="open"}')).toBe(1);
  expect(sampleOf(during, 'breaker_state{state="closed"}')).toBe(0);
  expect(sampleOf(during, 'queue_jobs{state="pending"}')).toBe(2);
  expect(sampleOf(during, 'outage_ongoing')).toBe(1);
  expect(sampleOf(during, 'hold{hold="operator"}')).toBe(1);
  expect(sampleOf(during, 'oldest_pending_timestamp_seconds')).toBeGreaterThan(1.7e9);
  isBack();
  await world.pass(120_000);
  await world.drain();
  const after = await metrics(world);
  const [outage] = ((await world.run('outages')).document as { outages: { figures: { lastedMs: number } }[] })
    .outages;
  expect(sampleOf(after, 'outage_ongoing')).toBe(0);
  expect(sampleOf(after, 'outage_seconds_total')).toBe(outage!.figures.lastedMs / 1_000);
  expect(sampleOf(after, 'mean_time_to_recovery_seconds')).toBe(outage!.figures.lastedMs / 1_000);
  expect(sampleOf(after, 'deliveries_total')).toBe(3);
  expect(sampleOf(after, 'last_delivery_timestamp_seconds')).toBe(
    (await world.queue()).counts.deliveredAt / 1_000,
  );
  expect(sampleOf(after, 'hold{hold="operator"}')).toBe(0);
});
