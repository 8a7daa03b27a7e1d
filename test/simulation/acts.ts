// Carrying out a plan: what people do, and what goes wrong.

import { parseDuration } from '../../src/cli/duration.ts';
import { gate } from '../../src/control/decide.ts';
import type { TaskArgs, TaskMode } from '../../src/invocation/task.ts';
import type { JobName } from '../../src/queue/events.ts';
import type { MachineClock } from './clock.ts';
import type { Machine } from './machine.ts';
import type { Act, TaskName } from './plan.ts';
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

export class Acts {
  readonly #stage: Stage;
  /** Counts disk faults, to know whether there was one while a hook ran. */
  #diskFaults = 0;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  carryOut(act: Act): void {
    const { kernel, stash, plex, promises, undone } = this.#stage;
    const machine = this.#machineOf(act);
    kernel.note(JSON.stringify(act));
    switch (act.does) {
      case 'edit':
        this.edit(act.scenes, act.isHookLost, machine);
        break;
      case 'empty':
        stash.empty(act.scene);
        promises.touch(act.scene);
        this.#hook(machine, `scene:${act.scene}`, 'Scene.Update.Post', [act.scene]);
        break;
      case 'destroy':
        stash.destroy(act.scene);
        this.#hook(machine, `scene:${act.scene}`, 'Scene.Destroy.Post', []);
        break;
      case 'rename tag': {
        const scenes = stash.renameTag(act.tag);
        for (const scene of scenes) promises.touch(scene);
        this.#hook(machine, `tag:${act.tag}`, 'Tag.Update.Post', scenes);
        break;
      }
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
        promises.touch(act.scene);
        this.#hook(machine, `scene:${act.scene}`, 'Scene.Create.Post', [act.scene]);
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

  edit(scenes: readonly string[], isHookLost: boolean, machine = this.#stage.machine): void {
    const { kernel, stash, dice, promises } = this.#stage;
    scenes.forEach((scene, index) => {
      kernel.after(index * HOOK_APART_MS, () => {
        if (!stash.edit(scene, dice)) return;
        promises.touch(scene);
        if (!isHookLost) this.#hook(machine, `scene:${scene}`, 'Scene.Update.Post', [scene]);
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

  #hook(machine: Machine, job: JobName, trigger: string, scenes: readonly string[]): void {
    const { promises, disk, looks } = this.#stage;
    const accept = promises.covering(scenes);
    const faultsBefore = this.#diskFaults;
    const isDiskWell = disk.faults.size === 0;
    machine.hook(job, trigger, (result) => {
      if (result.kind === 'queued') return accept();
      const isExcused = !isDiskWell || faultsBefore !== this.#diskFaults;
      looks.at(22, isExcused, () => `a hook was refused: ${result.failure.detail}`);
    });
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
          | 'no spawn';
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
        this.#diskFaults += 1;
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
    for (const process of [...kernel.processes]) if (second.has(process)) kernel.kill(process);
    if (second.clock !== machine.clock) second.clock.reboot(0);
  }

  #stepClock(ms: number, clock: MachineClock): void {
    const { watch, looks } = this.#stage;
    this.#stage.count('clock step');
    const before = gate(watch.state, clock.now());
    clock.stepWall(ms);
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
