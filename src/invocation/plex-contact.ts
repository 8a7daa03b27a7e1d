// The drainer's line to Plex under the settings of now: reading and checking them, getting acquainted with a
// server that these settings were never used with, and telling the journal when the line does not work.

import type { HoldName } from '../../machines/events.ts';
import { isCounted, meaningOf } from '../../machines/failure-classes.ts';
import type { Policy } from '../../machines/policy.ts';
import { type DrainLease, failedProbe, gate, holdPlaced, isHeld } from '../breaker/index.ts';
import type { Failure } from '../plex/failures.ts';
import type { PlexResult } from '../plex/plex-client.ts';
import type { PlexIdentity, PlexSection } from '../plex/plex-item.ts';
import type { JobName } from '../queue/events.ts';
import type { SettingReport, Settings } from '../settings/settings.ts';
import type { DeliverOptions, PlexPort } from '../sync/deliver.ts';
import { chosenLibraries } from '../sync/libraries.ts';
import type { Stop } from './drain-session.ts';
import { problemLines, settingsNow } from './settings-now.ts';
import type { World } from './world.ts';

export class PlexContact {
  readonly #world: World;
  readonly #lease: DrainLease;
  #settings: Settings | null = null;
  #plex: PlexPort | null = null;
  #under = '';
  answeredAt: number | null = null;
  /** Every setting as it was last read. */
  reports: readonly SettingReport[] = [];

  constructor(world: World, lease: DrainLease) {
    this.#world = world;
    this.#lease = lease;
  }

  /** Reads the settings and makes sure of the server. Null when work may begin (or the breaker has to decide). */
  async open(pending: number): Promise<Extract<Stop, { kind: 'stash' | 'settings' }> | null> {
    const given = await settingsNow(this.#world);
    if (!given.ok) return { kind: 'stash', failure: given.failure };
    const read = given.value;
    const problems = problemLines(read);
    if (!read.ok) return { kind: 'settings', problems };
    for (const problem of problems) this.#world.log.line('warning', problem);
    this.reports = read.reports;
    await this.#apply(read.settings);
    await this.#acquaint(pending);
    return null;
  }

  /** Whether there are settings to go by. */
  get isOpen(): boolean {
    return this.#plex !== null;
  }

  /** Whether it is known who answers under these settings. */
  get isAcquainted(): boolean {
    const { server } = this.#lease.state.breaker.context;
    return server.id !== '' && server.under === this.#under;
  }

  get plex(): PlexPort {
    if (this.#plex === null) throw new Error('Plex is used before the settings were read');
    return this.#plex;
  }

  get settings(): Settings {
    if (this.#settings === null) throw new Error('settings are used before they were read');
    return this.#settings;
  }

  get delivery(): Pick<DeliverOptions, 'plex' | 'pathRules' | 'sync'> {
    const { pathRules, sync } = this.settings;
    return { plex: this.plex, pathRules, sync };
  }

  noteAnswer(): void {
    this.answeredAt = this.#world.writer.now().at;
  }

  /** The libraries that the settings name, or all of the movie type. */
  async libraries(): Promise<PlexResult<readonly PlexSection[]>> {
    const all = await this.plex.sections();
    if (!all.ok) return all;
    return chosenLibraries(all.value, this.settings.plexLibraries);
  }

  /**
   * A failed attempt, by its class: to the breaker, which then wants to hear Plex itself, or to a hold. `about`: what was
   * attempted.
   */
  async tell(failure: Failure, about: JobName): Promise<void> {
    if (!isCounted(failure.class)) return this.hold(failure);
    await this.recordFailure(failure, about);
    if (this.#lease.state.breaker.value !== 'open') await this.confirm();
  }

  async recordFailure(failure: Failure, about: JobName): Promise<void> {
    if (!isCounted(failure.class)) return this.hold(failure);
    const { symptom, opensAfter, retryAfterMs } = failure;
    await this.#lease.record({
      type: 'attempt.failed',
      class: failure.class,
      symptom,
      subject: about,
      draw: this.#world.writer.random(),
      ...(opensAfter === undefined ? {} : { opensAfter }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  }

  /** Asks Plex itself, under the drain lease: a failed attempt and a failed probe together are an outage. */
  async confirm(): Promise<void> {
    await this.#ask(0);
  }

  /** A person asks to try again all the same: the hold ends, or begins anew with the reason of now. */
  async retryHeld(hold: HoldName, pending: number): Promise<void> {
    await this.#lease.recordPlain({
      type: 'hold.released',
      hold,
      reason: 'a person asked to try again',
    });
    await this.#ask(pending);
  }

  /** Plex answered, and this is who it is. */
  async remember({ machineIdentifier }: PlexIdentity): Promise<void> {
    this.noteAnswer();
    const { policy, server } = this.#lease.state.breaker.context;
    if (server.id !== '') return;
    const known = { id: machineIdentifier, under: this.#under };
    await this.#lease.recordPlain({ type: 'policy.set', policy, server: known });
  }

  /** What stands in the way but is no outage: a pause that Plex asked for, or settings that it refuses. */
  async hold(failure: Failure): Promise<void> {
    const { hold } = meaningOf(failure.class);
    if (hold === 'none') return;
    this.#world.log.line(hold === 'config' ? 'error' : 'info', failure.detail);
    await this.#lease.recordPlain(holdPlaced(hold, failure, this.#under));
  }

  /** Without an address or token nothing can work, and no wake need start a drainer to find that out again. */
  async holdUnset(problems: readonly string[]): Promise<void> {
    const reason = problems.join('; ');
    const { config } = this.#lease.state;
    const isSaid =
      isHeld(this.#lease.state, 'config', this.#world.writer.now()) && config.context.reason === reason;
    if (isSaid) return;
    await this.#lease.recordPlain(holdPlaced('config', { detail: reason }, 'unset'));
  }

  redact(text: string): string {
    const token = this.#settings?.plexToken ?? '';
    return (token === '' ? text : text.replaceAll(token, '***')).slice(0, 300);
  }

  async close(): Promise<void> {
    await this.#plex?.close();
    this.#plex = null;
  }

  async #apply(settings: Settings): Promise<void> {
    this.#under = this.#world.fingerprint(settings);
    const { server, policy } = this.#lease.state.breaker.context;
    const isSameServer = server.under === this.#under;
    if (!isSameServer || !isSamePolicy(policy, settings.policy)) {
      const kept = isSameServer ? server : { id: '', under: this.#under };
      await this.#lease.recordPlain({ type: 'policy.set', policy: settings.policy, server: kept });
    }
    const { config } = this.#lease.state;
    if (config.value === 'held' && config.context.under !== this.#under) {
      await this.#lease.recordPlain({
        type: 'hold.released',
        hold: 'config',
        reason: 'the settings have changed',
      });
    }
    this.#settings = settings;
    if (this.#plex !== null && isSameServer) return;
    await this.close();
    this.#plex = this.#world.connectPlex(settings, isSameServer && server.id !== '');
  }

  /** Under settings that never worked the first question is who is there: edits to the wrong server are for ever. */
  async #acquaint(pending: number): Promise<void> {
    const isAsked = gate(this.#lease.state, this.#world.writer.now()).kind === 'go';
    if (isAsked && !this.isAcquainted) await this.#ask(pending);
  }

  async #ask(pending: number): Promise<void> {
    const { writer } = this.#world;
    const startedAt = writer.now().mono;
    const result = await this.plex.probe(this.#lease.state.breaker.context.server.id);
    if (!result.ok) {
      const { failure } = result;
      if (isCounted(failure.class)) await this.#lease.record(failedProbe(failure.class, failure, writer));
      else await this.hold(failure);
      return;
    }
    const tookMs = Math.round(writer.now().mono - startedAt);
    await this.#lease.record({ type: 'probe.succeeded', tookMs, pending });
    await this.remember(result.value);
  }
}

function isSamePolicy(a: Policy, b: Policy): boolean {
  return (Object.keys(a) as (keyof Policy)[]).every((name) => a[name] === b[name]);
}
