// Tasks in the one queue, and operations, which wait for nobody.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FINISHED_JOBS_KEPT } from './stash/jobs.ts';
import { ask, ended, startStash, tempDir, texts, until } from './stash-fixture.ts';

const TASKS = `tasks:
  - { name: Good, defaultArgs: { mode: good } }
  - { name: Bad, defaultArgs: { mode: bad } }
  - { name: Slow, defaultArgs: { mode: slow } }
  - { name: Progress, defaultArgs: { mode: progress } }
`;
const SCRIPT = `
  const { mode } = input.args;
  if (mode === 'bad') answer({ error: 'it broke' });
  if (mode === 'good') answer({ output: input.args });
  if (mode === 'slow') { log('i', 'here'); await forever(); }
  if (mode === 'progress') {
    log('p', '0.25'); log('p', 'half'); log('p', '0.75');
    while (!fs.existsSync(process.env.GATE)) await new Promise((resolve) => setTimeout(resolve, 5));
  }
`;
const PLUGIN = { worker: { script: SCRIPT, yml: TASKS } };
const QUEUE = 'mutation($name: String) { runPluginTask(plugin_id: "worker", task_name: $name) }';
const FIND =
  'query($id: ID!) { findJob(input: {id: $id}) { id status progress description addTime startTime endTime } }';

test('a task gives its job, and the job what came of it', async () => {
  const sim = await startStash(PLUGIN);
  const job = await sim.runTask('worker', 'Good', { extra: [1, null] });
  expect(job).toEqual({
    id: '1',
    status: 'FINISHED',
    description: 'Running plugin task: Good',
    progress: 0,
    output: { extra: [1, null], mode: 'good' },
    error: null,
  });
  expect((await sim.graphql(FIND, { id: '1' })).findJob).toMatchObject({ id: '1', status: 'FINISHED' });
});

test('a failed task is FINISHED too, and only the log says so', async () => {
  const sim = await startStash(PLUGIN);
  expect(await sim.runTask('worker', 'Bad')).toMatchObject({ status: 'FINISHED', error: 'it broke' });
  expect(texts(sim, 'error')).toEqual(['Plugin returned error: it broke']);
});

test.each([
  ['v0.25.1', 'FINISHED'],
  ['v0.30.1', 'FAILED'],
])('in %s a task that cannot start is %s', async (version, status) => {
  const sim = await startStash({ worker: { exec: '[no-such-program-anywhere]', yml: TASKS } }, { version });
  expect((await sim.runTask('worker', 'Good')).status).toBe(status);
  expect((await sim.runTask('worker', 'None')).status).toBe(status);
  expect(texts(sim, 'error')[1]).toBe(
    'Error creating plugin task: no task with name None in plugin Plugin worker',
  );
});

test('one job runs at a time; a stopped one is killed and the next starts', async () => {
  const sim = await startStash(PLUGIN);
  expect(await sim.graphql('{ jobQueue { id } }')).toEqual({ jobQueue: null });
  const ids = await Promise.all(['Slow', 'Good', 'Good'].map((name) => sim.graphql(QUEUE, { name })));
  await until('the slow task runs', () => texts(sim, 'info').includes('here'));
  const { jobQueue } = await sim.graphql('{ jobQueue { id status startTime } }');
  expect(jobQueue.map((job: { status: string }) => job.status)).toEqual(['RUNNING', 'READY', 'READY']);
  await sim.graphql(
    `mutation { a: stopJob(job_id: ${jobQueue[1].id}) b: stopJob(job_id: ${jobQueue[0].id}) }`,
  );
  await sim.idle();
  await ended(sim, 2);
  expect(ids).toHaveLength(3);
  const states = await Promise.all(
    jobQueue.map(async (job: { id: string }) => (await sim.graphql(FIND, { id: job.id })).findJob.status),
  );
  expect(states).toEqual(['CANCELLED', 'CANCELLED', 'FINISHED']);
  expect(sim.runs.map((run) => [run.trigger, run.signal])).toEqual([
    ['Slow', 'SIGKILL'],
    ['Good', null],
  ]);
});

test('progress is the last value that was a number, and only a task has one', async () => {
  const gate = join(tempDir(), 'gate');
  const sim = await startStash(PLUGIN, { env: { GATE: gate } });
  const job = sim.runTask('worker', 'Progress');
  await until('progress was told', () => texts(sim, 'progress').length === 3);
  const { findJob } = await sim.graphql(FIND, { id: 1 });
  expect(findJob).toMatchObject({ progress: 0.75, status: 'RUNNING', endTime: null });
  writeFileSync(gate, '');
  expect(await job).toMatchObject({ progress: 0.75, status: 'FINISHED' });
  expect(texts(sim, 'error')).toContain("Error parsing progress value 'half'");
});

test('only the last finished jobs are found', async () => {
  const sim = await startStash();
  for (let n = 0; n <= FINISHED_JOBS_KEPT; n += 1) await sim.scan();
  expect((await sim.graphql(FIND, { id: 1 })).findJob).toBeNull();
  expect((await sim.graphql(FIND, { id: 2 })).findJob).toMatchObject({ id: '2', description: 'Scanning...' });
});

test('a hook may queue a task with its cookie', async () => {
  const hook = `if (input.args.hookContext === undefined) return answer({ output: input.args.from });
    await post(input, 'mutation { runPluginTask(plugin_id: "h", task_name: "T", args_map: {from: "hook"}) }');`;
  const sim = await startStash(
    { h: { script: hook, hooks: ['Scene.Update.Post'], yml: 'tasks: [{ name: T }]\n' } },
    { scenes: 1, username: 'u', password: 'p' },
  );
  await sim.updateScene(1, { title: 'x' });
  await sim.idle();
  expect(sim.runs.map((run) => [run.kind, run.output])).toEqual([
    ['hook', ''],
    ['task', 'hook'],
  ]);
});

test('an operation runs beside the queue and gives its output', async () => {
  const sim = await startStash(PLUGIN);
  await sim.graphql(QUEUE, { name: 'Slow' });
  await until('the slow task runs', () => texts(sim, 'info').includes('here'));
  expect(await sim.runOperation('worker', { mode: 'good' })).toEqual({ mode: 'good' });
  await expect(sim.runOperation('worker', { mode: 'bad' })).rejects.toThrow('it broke');
  await expect(sim.runOperation('nobody')).rejects.toThrow('no plugin with ID nobody');
});

test('an operation is killed when its client leaves', async () => {
  const sim = await startStash(PLUGIN);
  const client = new AbortController();
  const query = 'mutation { runPluginOperation(plugin_id: "worker", args: {mode: "slow"}) }';
  const gone = ask(sim, query, { signal: client.signal }).catch((error: Error) => error.name);
  await until('it runs', () => texts(sim, 'info').includes('here'));
  client.abort();
  expect(await gone).toBe('AbortError');
  const [run] = await ended(sim, 1);
  expect(run).toMatchObject({ kind: 'operation', signal: 'SIGKILL', error: 'signal: killed' });
});
