// Carrying out a plan: what people do, and what goes wrong.

import { gate } from '../../src/breaker/control/decide.ts';
import { parseDuration } from '../../src/cli/duration.ts';
import type { Scope } from '../../src/door/scopes.ts';
import type { TaskArgs, TaskMode } from '../../src/invocation/task.ts';
import type { JobName } from '../../src/queue/events.ts';
import type { MachineClock } from './clock.ts';
import { Dice } from './dice.ts';
import type { Machine } from './machine.ts';
import { type Act, isCalm, type TaskName } from './plan.ts';
import type { Stage } from './stage.ts';
import { SECRETS } from './stash.ts';
import type { UndoAct } from './undone.ts';

const TASKS: Readonly<Record<TaskName, readonly [TaskMode, TaskArgs]>> = {
  drain: ['drain', {}],
  check: ['check', {}],
  status: ['status', {}],
  retry: ['retry', {}],
  sync: ['sync', { scene: '1' }],
  reconcile: ['reconcile', { scope: 'all' }],
  'dry run': ['reconcile', { scope: 'all', dryRun: true }],
  'hold open': ['hold', { stance: 'open', for: '10m', reason: 'Plex is being moved' }],
  'hold closed': ['hold', { stance: 'closed', for: '2m', reason: 'never mind' }],
  release: ['release', {}],
  clear: ['clear', {}],
};
/** Stash runs the hooks of a bulk edit one after another, in ms. */
const HOOK_APART_MS = 60;
const BULK_APART_MS = 3;
/** A wake beside the queue has brought a drainer to life, and that has looked, after this, in ms: both may start slowly. */
const BESIDE_MS = 12_000;
/** How long a transaction may last, in ms: what it changed has times from before. */
const TRANSACTION_MS = [0, 0, 3_000, 30_000] as const;
/** Of what a hook has Stash do, where hooks are lost. */
const FAILING_SHARE = 0.2;

export class Acts {
  readonly #stage: Stage;
  readonly #dice: Dice;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#dice = new Dice(stage.plan.seed ^ 0x7feb352d);
    const failing = stage.plan.hookLoss > 0 ? FAILING_SHARE : 0;
    for (const { queue } of stage.machines) queue.failsHook = () => this.#dice.chance(failing);
  }

  carryOut(act: Act): void {
    const { kernel, stash, plex, promises, undone } = this.#stage;
    const machine = this.#machineOf(act);
    kernel.note(JSON.stringify(act));
    switch (act.does) {
      case 'edit':
        this.edit(act.scenes, act.isHookLost ? 0 : Number.POSITIVE_INFINITY, machine, act.told);
        break;
      case 'empty':
        stash.empty(act.scene);
        this.#touched(act.scene);
        this.#hook(machine, `scene:${act.scene}`, 'Scene.Update.Post');
        break;
      case 'destroy':
        stash.destroy(act.scene);
        this.#hook(machine, `scene:${act.scene}`, 'Scene.Destroy.Post');
        break;
      case 'rename tag': {
        for (const scene of stash.renameTag(act.tag)) this.#touched(scene);
        this.#hook(machine, `tag:${act.tag}`, 'Tag.Update.Post');
        break;
      }
      case 'merge tags':
        this.#silent('shared', stash.mergeTag(act.tag, act.into), () =>
          this.#hook(machine, `tag:${act.tag}`, 'Tag.Merge.Post'),
        );
        break;
      case 'file moves':
        stash.move(act.scene);
        plex.move(act.scene);
        undone.forget(act.scene);
        this.#silent('files', [act.scene], () =>
          this.#hook(machine, `scene:${act.scene}`, 'Scene.Update.Post', null),
        );
        break;
      case 'busy':
        this.#stage.count('busy queue');
        machine.queue.addBusy(act.forMs);
        break;
      case 'task':
        this.task(act.mode, machine);
        break;
      case 'seal':
        machine.seal(act.stream);
        break;
      case 'new token':
        plex.acceptedToken = SECRETS[1];
        stash.settings = { ...stash.settings, plexToken: SECRETS[1] };
        break;
      case 'new file':
        stash.create(act.scene);
        this.#touched(act.scene);
        this.#hook(machine, `scene:${act.scene}`, 'Scene.Create.Post', null);
        break;
      case 'item appears':
        plex.add(act.scene);
        break;
      case 'item has a new key':
        plex.rekey(act.scene);
        undone.forget(act.scene);
        break;
      case 'item is wiped':
        plex.wipe(act.scene);
        promises.excuse(act.scene);
        undone.forget(act.scene);
        break;
      case 'undo':
      case 'unlock':
      case 'lock':
        this.#byHand(act);
        break;
      case 'person':
        plex.change(act.scene, act.field, `a person's ${act.field} as of ${Math.round(kernel.nowMs)}`);
        promises.excuse(act.scene);
        break;
      case 'upgrade':
        this.#stage.count('upgrade');
        machine.version = act.to;
        break;
      default:
        this.#trouble(act);
    }
  }

  /**
   * One after another, each with its hook; or (`told`) all in one transaction, and the client leaves after the hooks of so
   * many. `hooks`: so many of them run at most.
   */
  edit(scenes: readonly string[], hooks: number, machine = this.#stage.machine, told?: number): void {
    const { kernel, stash, dice } = this.#stage;
    const { era } = machine.queue;
    const edited = new Set<string>();
    const lastedMs = told === undefined ? 0 : this.#dice.pick(TRANSACTION_MS);
    const edit = (scene: string) => {
      if (!stash.edit(scene, dice, lastedMs)) return;
      edited.add(scene);
      this.#touched(scene);
    };
    if (told !== undefined) for (const scene of scenes) edit(scene);
    scenes.forEach((scene, index) => {
      kernel.after(index * (told === undefined ? HOOK_APART_MS : BULK_APART_MS), () => {
        if (told === undefined) edit(scene);
        if (!edited.has(scene)) return;
        const isTold = index < Math.min(hooks, told ?? scenes.length) && era === machine.queue.era;
        if (isTold) this.#hook(machine, `scene:${scene}`, 'Scene.Update.Post');
        else this.#lose(machine, `scene:${scene}`);
      });
    });
  }

  task(name: TaskName, machine = this.#stage.machine): void {
    machine.task(...TASKS[name]);
  }

  #machineOf({ on }: Act): Machine {
    const { machine, second } = this.#stage;
    return (on === 'second' ? second : null) ?? machine;
  }

  #byHand(act: Extract<Act, { does: 'undo' | 'unlock' | 'lock' }>): void {
    const { undone } = this.#stage;
    const machine = this.#machineOf(act);
    const scene = act.scene ?? '';
    if (act.does === 'undo') {
      const process = machine.task('undo', { scene, since: act.since });
      const sinceMs = act.since === '' ? null : parseDuration(act.since);
      process.notes.set('undo', { scene: act.scene, sinceMs } satisfies UndoAct);
      return;
    }
    const args = { scene, fields: act.fields, ...(act.scene === null && { scope: 'all' }) };
    const process = machine.task(act.does, args, ({ isOk }) => {
      if (isOk) undone.onTold(process);
    });
  }

  /** Whether a wake will see to it. */
  #hook(machine: Machine, job: JobName, type: string, input: object | null = {}): boolean {
    if (this.#dice.chance(this.#stage.plan.hookLoss)) return this.#lose(machine, job);
    const outcome = machine.queue.hook(type, input);
    const isSeenTo = outcome !== 'off' && outcome !== 'failed';
    if (!isSeenTo) this.#stage.found.onUntold(job);
    if (outcome === 'beside') this.#lookBeside();
    return isSeenTo;
  }

  /** However long Stash is busy, what a hook had looked for beside its queue is found. */
  #lookBeside(): void {
    const { kernel, plan, found, looks } = this.#stage;
    const isSlow = plan.acts.some(({ does }) => does === 'disk');
    if (!isCalm(plan) || isSlow) return;
    const { nowMs } = kernel;
    kernel.after(BESIDE_MS, () => {
      const missing = found.missing(nowMs);
      looks.at(26, missing.length === 0, () => `a busy queue keeps ${missing.join()} waiting`);
    });
  }

  #lose(machine: Machine, job: JobName): false {
    machine.queue.outcomes.lost += 1;
    this.#stage.found.onUntold(job);
    return false;
  }

  /** What a look finds by its time. */
  #touched(scene: string): void {
    const { promises, changed } = this.#stage;
    promises.touch(scene, changed.at);
    if (!changed.isDistinct) promises.excuse(scene);
  }

  /** What only a hook tells. */
  #silent(scope: Scope, scenes: readonly string[], hook: () => boolean): void {
    const { promises, found } = this.#stage;
    if (hook()) found.onTold(scope, scenes);
    else for (const scene of scenes) promises.excuse(scene);
  }

  #trouble(
    act: Extract<
      Act,
      {
        does:
          | 'Plex'
          | 'Stash'
          | 'disk'
          | 'kill'
          | 'power'
          | 'step clock'
          | 'second reboots'
          | 'suspend'
          | 'no spawn'
          | 'Stash restarts'
          | 'plugin off'
          | 'job stopped';
      }
    >,
  ): void {
    const { kernel, stash, plex, disk, clocks, machine, dice } = this.#stage;
    switch (act.does) {
      case 'Plex':
        for (const fault of act.faults) plex.faults.add(fault);
        kernel.after(act.forMs, () => {
          for (const fault of act.faults) plex.faults.delete(fault);
        });
        break;
      case 'Stash':
        stash.fault = act.fault;
        kernel.after(act.forMs, () => {
          stash.fault = null;
        });
        break;
      case 'disk':
        disk.faults.set(act.fault, act.share);
        kernel.after(act.forMs, () => void disk.faults.delete(act.fault));
        break;
      case 'kill': {
        const alive = [...kernel.processes].filter(({ stepsToLive }) => !Number.isFinite(stepsToLive));
        if (alive.length > 0) dice.pick(alive).stepsToLive = act.steps;
        else kernel.doomed.push(act.steps);
        break;
      }
      case 'power':
        this.#losePower(act.offMs);
        break;
      case 'step clock':
        this.#stepClock(act.ms, this.#machineOf(act).clock);
        break;
      case 'second reboots':
        this.#rebootSecond();
        break;
      case 'suspend':
        this.#stage.count('suspend');
        for (const clock of clocks) clock.suspend(act.ms, act.isMonotonicRunning);
        break;
      case 'Stash restarts':
        this.#stage.count('Stash restarts');
        for (const one of this.#stage.machines) one.queue.restart();
        stash.fault = 'unreachable';
        kernel.after(act.downMs, () => {
          stash.fault = null;
        });
        break;
      case 'plugin off':
        this.#stage.count('plugin off');
        machine.queue.isEnabled = false;
        kernel.after(act.forMs, () => {
          machine.queue.isEnabled = true;
        });
        break;
      case 'job stopped':
        this.#stage.count('job stopped');
        machine.queue.stopAny((count) => dice.int(count));
        break;
      case 'no spawn':
        this.#stage.count('no spawn');
        machine.canSpawn = false;
        kernel.after(act.forMs, () => {
          machine.canSpawn = true;
        });
        break;
    }
  }

  #losePower(offMs: number): void {
    const { kernel, disk, clocks, dice } = this.#stage;
    this.#stage.count('power loss');
    for (const one of this.#stage.machines) one.queue.restart();
    for (const process of [...kernel.processes]) kernel.kill(process);
    disk.disk.losePower(dice);
    for (const clock of clocks) clock.reboot(offMs);
    const { afterStep } = kernel;
    kernel.afterStep = () => {
      kernel.afterStep = afterStep;
      return this.#stage.readAnew();
    };
  }

  /** Of a container, as of the first machine, only the processes end. */
  #rebootSecond(): void {
    const { kernel, machine, second } = this.#stage;
    if (second === null) return;
    this.#stage.count('second reboots');
    second.queue.restart();
    for (const process of [...kernel.processes]) if (second.has(process)) kernel.kill(process);
    if (second.clock !== machine.clock) second.clock.reboot(0);
  }

  #stepClock(ms: number, clock: MachineClock): void {
    const { watch, looks } = this.#stage;
    this.#stage.count('clock step');
    const before = gate(watch.state, clock.now());
    clock.stepWall(ms);
    if (ms < 0 && clock === this.#stage.clock) this.#stage.found.setBacks += 1;
    this.#stage.noteSkew();
    const after = gate(watch.state, clock.now());
    const { recovery, probe, operator, config, throttle } = watch.state;
    const holds = [operator, config, throttle].map(({ context }) => context.ends);
    const waits = [recovery.context.due, probe.context.ends, ...holds];
    const isOneBoot = waits.every((wait) => wait === null || wait.from.boot === clock.boot);
    const isSame = JSON.stringify(before) === JSON.stringify(after);
    const told = () => `${JSON.stringify(before)} became ${JSON.stringify(after)}`;
    looks.at(12, !isOneBoot || isSame, told);
    watch.lookAtWaits(clock.now());
  }
}
