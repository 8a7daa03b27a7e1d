// Bugs to plant: each a change of one place in the source that somebody might make. The simulation has to find every one
// of them, or it proves nothing. `find` must be in its file exactly once, so that this list cannot rot unseen.

export interface Mutant {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Where the rest of the code never says what would show it: the tests that find it. */
  readonly tests?: string;
}

export const MUTANTS: readonly Mutant[] = [
  // The journal.
  {
    name: 'an append is acknowledged before it is durable',
    file: 'src/breaker/journal/disk.ts',
    find: 'bytes fitted`);\n    await this.sync(fd);',
    replace: 'bytes fitted`);',
  },
  {
    name: 'a short write passes for a whole one',
    file: 'src/breaker/journal/disk.ts',
    find: 'if (written !== bytes.length) throw',
    replace: 'if (written < 0) throw',
  },
  {
    name: 'a line has no newline before it',
    file: 'src/breaker/journal/lines.ts',
    find: 'lines.map((line) => `\\n$',
    replace: 'lines.map((line) => `$',
  },
  {
    name: 'the folder of a new file is not made durable',
    file: 'src/breaker/journal/segment-writer.ts',
    find: 'await this.#disk.syncDir();\n    if (index === 0) return this.#disk.syncDirAbove();',
    replace: 'if (index === 0) return this.#disk.syncDirAbove();',
  },
  {
    name: 'the folder above a new folder is not made durable',
    file: 'src/breaker/journal/segment-writer.ts',
    find: 'if (index === 0) return this.#disk.syncDirAbove();',
    replace: 'if (index === 0) return;',
  },
  {
    name: 'a writer does not look whether a seal came before it',
    file: 'src/breaker/journal/segment-writer.ts',
    find: 'if (await this.#counts(segment, bytes)) return;',
    replace: 'return;',
  },
  {
    name: 'a checkpoint of another log is believed',
    file: 'src/breaker/journal/checkpoint.ts',
    find: 'return isOfThisLog && (await',
    replace: 'return (await',
    tests: 'test/breaker/journal/checkpoint.test.ts',
  },
  // Control.
  {
    name: 'a checkpoint forgets who wrote last',
    file: 'src/breaker/control/control-log.ts',
    find: 'last: this.#last, state: this.#fold };',
    replace: 'last: this.#last, state: { ...this.#fold, latestOther: -1 } };',
  },
  {
    name: 'what could not be read back is written upon',
    file: 'src/breaker/control/control-log.ts',
    find: 'if (this.#isBehind) await this.refresh();',
    replace: '',
  },
  {
    name: 'results of an old epoch count',
    file: 'src/breaker/control/evolve.ts',
    find: "lease.value === 'held' && lease.context.epoch === event.epoch;",
    replace: "lease.value === 'held';",
    tests: 'test/breaker/control/invariants.test.ts',
  },
  {
    name: 'results of another owner count',
    file: 'src/breaker/control/evolve.ts',
    find: "(event.type === 'lease.lost' || lease.context.owner === event.by)",
    replace: 'true',
    tests: 'test/breaker/control/invariants.test.ts',
  },
  {
    name: 'a probe may be claimed whatever the recovery flow says',
    file: 'src/breaker/control/evolve.ts',
    find: "sendTo(state, 'probe', event) !== state && sendTo(state, 'recovery', event) !== state",
    replace: "sendTo(state, 'probe', event) !== state",
  },
  {
    name: 'work goes on while the breaker is open',
    file: 'src/breaker/control/decide.ts',
    find: "return leftMs === 0 ? { kind: 'probe' } : { kind: 'wait', remainingMs: leftMs };",
    replace: "return leftMs === 0 ? { kind: 'probe' } : { kind: 'go', limit: 1 };",
  },
  {
    name: 'no drainer is started for a due probe',
    file: 'src/breaker/control/decide.ts',
    find: "case 'go':\n    case 'probe':\n      return true;",
    replace: "case 'go':\n      return true;\n    case 'probe':\n      return false;",
  },
  {
    name: 'a lease never ends',
    file: 'src/breaker/control/decide.ts',
    find: "return value !== 'free' && context.ends !== null && !isOver(context.ends, now);",
    replace: "return value !== 'free' && context.ends !== null && now.at > 0;",
  },
  {
    name: 'a hold never ends',
    file: 'src/breaker/control/decide.ts',
    find: "return value === 'held' && context.ends !== null && !isOver(context.ends, now);",
    replace: "return value === 'held' && context.ends !== null && now.at > 0;",
  },
  {
    name: 'a record that came in between is not seen',
    file: 'src/breaker/control/replay.ts',
    find: 'newestOfOthers(fold, record.inv) >= witness.seen',
    replace: 'newestOfOthers(fold, record.inv) >= witness.seen + 1e9',
  },
  // The machines.
  {
    name: 'one success closes the breaker whatever it asked for',
    file: 'machines/breaker.ts',
    find: 'context.successes + countOf(event) >= context.successesNeeded',
    replace: 'context.successes + countOf(event) >= 1',
  },
  {
    name: 'a canary that fails for its own sake opens the breaker',
    file: 'machines/failure-classes.ts',
    find: "return meaningOf(failure).breaker !== 'repeated';",
    replace: 'return failure !== undefined;',
    tests: 'test/machines/breaker.test.ts',
  },
  {
    name: 'a burst counts as often as it fails',
    file: 'machines/breaker.ts',
    find: 'return context.failedAt === null || !isShortlyAfter(context.failedAt, event.moment, BURST_MS);',
    replace: 'return BURST_MS > 0;',
  },
  {
    name: 'a probe is always due',
    file: 'machines/recovery.ts',
    find: '(event.isForced === true || context.due === null || isOver(context.due, event.moment))',
    replace:
      '(event.isForced === true || context.due === null || !isOver(context.due, event.moment) || true)',
    tests: 'test/machines/recovery.test.ts',
  },
  {
    name: 'a wait does not grow',
    file: 'machines/recovery.ts',
    find: 'waiting(context, event, context.attempt + 1)',
    replace: 'waiting(context, event, context.attempt)',
  },
  {
    name: 'the ramp widens for nothing',
    file: 'machines/recovery.ts',
    find: 'while (acknowledged >= limit && limit < context.policy.rampFull) {',
    replace: 'while (acknowledged >= 0 && limit < context.policy.rampFull) {',
  },
  {
    name: 'a lease is taken from who holds it',
    file: 'machines/lease.ts',
    find: "'lease.claimed': { guard: 'hasEnded', target: 'held', reenter: true, actions: 'grant' },",
    replace: "'lease.claimed': { target: 'held', reenter: true, actions: 'grant' },",
  },
  {
    name: 'an epoch comes twice',
    file: 'machines/lease.ts',
    find: 'epoch: context.epoch + 1,',
    replace: 'epoch: Math.max(1, context.epoch),',
  },
  {
    name: 'waits go by the wall clock',
    file: 'machines/time.ts',
    find: 'const elapsedMs = isSameBoot ? now.mono - wait.from.mono : now.at - wait.from.at;',
    replace: 'const elapsedMs = now.at - wait.from.at;',
  },
  {
    name: 'a clock that was set back before a boot keeps a wait from ending',
    file: 'machines/time.ts',
    find: 'if (!isSameBoot && elapsedMs < -WALL_SKEW_MS) return 0;',
    replace: 'if (!isSameBoot && elapsedMs < -1e300 * WALL_SKEW_MS) return 0;',
  },
  {
    name: 'a wait may be longer than itself',
    file: 'machines/time.ts',
    find: 'return Math.min(wait.waitMs, Math.max(0, wait.waitMs - elapsedMs));',
    replace: 'return Math.max(0, wait.waitMs + 1 - elapsedMs);',
  },
  // The queue.
  {
    name: 'an outcome covers what was queued after it began',
    file: 'src/queue/queue.ts',
    find: 'if (job.newest < event.upTo) return place(queue, event.job, outcome(job));',
    replace: 'if (job.newest < Number.POSITIVE_INFINITY) return place(queue, event.job, outcome(job));',
  },
  {
    name: 'a newer change does not revive a job',
    file: 'src/queue/queue.ts',
    find: "return { ...base(job), ...fresh, state: 'pending' };",
    replace: 'return { ...job, ...fresh };',
  },
  {
    name: 'a deferred job is never due',
    file: 'src/queue/queue.ts',
    find: '(isImpatient || isOver(job.due, now))',
    replace: '(isImpatient || isOver(job.due, { ...now, mono: -1e15, at: 0 }))',
  },
  {
    name: 'what was delivered is still queued',
    file: 'src/queue/queue.ts',
    find: 'return settle({ ...queue, counts }, event, () => null);',
    replace: 'return { ...queue, counts };',
  },
  {
    name: 'tags that we put are forgotten when one is attempted',
    file: 'src/queue/queue.ts',
    find: 'own,\n          ...(upTo !== undefined',
    replace: 'own: {},\n          ...(upTo !== undefined',
  },
  {
    name: 'an edit that Plex may still do is forgotten when another attempt did not end well',
    file: 'src/queue/queue.ts',
    find: 'by === undefined && unseen !== undefined && { unseen }',
    replace: 'false && { unseen }',
  },
  {
    name: 'who fetched a scene long ago says what is known of it',
    file: 'src/queue/queue.ts',
    find: 'before !== undefined && upTo !== undefined && upTo < before',
    replace: 'false',
    tests: 'test/queue/remembered.test.ts',
  },
  // The front door.
  {
    name: 'a wake that runs counts as one that is to begin',
    file: 'src/door/hook.ts',
    find: "job.status === 'READY' ?",
    replace: "job.status !== '' ?",
  },
  {
    name: 'a hook takes a wake off before another is there',
    file: 'src/door/hook.ts',
    find: '  var session = sessionOf(asked, input);\n',
    replace:
      '  var session = sessionOf(asked, input);\n  for (var j = 0; j < ready.length; j++) gql.Do(STOP, { id: (ready[j] as Ready).id });\n',
  },
  {
    name: 'a change waits for a busy queue however long',
    file: 'src/door/hook.ts',
    find: '.addedAt) >= PATIENCE_MS)) return false;',
    replace: '.addedAt) >= PATIENCE_MS) || true) return false;',
  },
  {
    name: 'a wake for changes is enough for all',
    file: 'src/door/hook.ts',
    find: "its !== null && (its === scope || scope === 'changes')",
    replace: 'its !== null',
  },
  {
    name: 'a second that is not over counts as over',
    file: 'src/wake/news.ts',
    find: 'return changedAt >= now && changedAt <= now + SECOND_MS;',
    replace: 'return changedAt > now && changedAt <= now + SECOND_MS;',
  },
  {
    name: 'what changed in a second that is not over is left out',
    file: 'src/wake/news.ts',
    find: 'return isDueNow(job) ? [queued] : [];',
    replace: 'return [];',
  },
  {
    name: 'renamed files are not compared',
    file: 'src/wake/news.ts',
    find: "return [requested(FILES_CHANGED, 'files')];",
    replace: 'return [];',
  },
  {
    name: 'what was shared and is gone is forgotten',
    file: 'src/wake/news.ts',
    find: "return [{ type: 'job.queued', job: LIBRARY_JOB, cause: 'change' }];",
    replace: 'return [];',
  },
  {
    name: 'a clock that was set back is not noticed',
    file: 'src/wake/news.ts',
    find: 'const isBack = isSetBack(agenda.looked, now);',
    replace: 'const isBack = isSetBack(agenda.looked, now) && now < 0;',
  },
  {
    name: 'scenes that are gone are not looked for',
    file: 'src/wake/look.ts',
    find: "const gone = scope === 'gone' ?",
    replace: "const gone = scope === ('' as string) ?",
  },
  {
    name: 'a wake that waited while others looked first is told nothing',
    file: 'src/wake/look.ts',
    find: 'else if (isBeforeBegin(agenda.agenda, hookAt)) {',
    replace: 'else if (hookAt < 0) {',
  },
  {
    name: 'a look asks for nothing again',
    file: 'src/queue/looked.ts',
    find: 'const from = Math.min(upTo, now) - OVERLAP_MS;',
    replace: 'const from = Math.min(upTo, now);',
  },
  {
    name: 'what was there before is news',
    file: 'src/queue/looked.ts',
    find: 'return now < begin ? from : Math.max(begin, from);',
    replace: 'return from;',
  },
  {
    name: 'what was found is found again',
    file: 'src/queue/looked.ts',
    find: 'return changedAt !== undefined && seen.get(job) === changedAt;',
    replace: 'return changedAt !== undefined && seen.get(job) === changedAt + 1;',
  },
  {
    name: 'of two who look first the last is right',
    file: 'src/queue/looked.ts',
    find: 'return { upTo: Math.min(upTo, looked.upTo), begin: Math.min(begin, looked.begin), seen };',
    replace: 'return { upTo, begin, seen };',
  },
  {
    name: 'the agenda says that nothing is pending',
    file: 'src/queue/agenda.ts',
    find: 'return { ...agenda, looked, isPending: true, begunAt: agenda.begunAt || moment.at };',
    replace: 'return { ...agenda, looked, begunAt: agenda.begunAt || moment.at };',
  },
  {
    name: 'a wake starts no drainer',
    file: 'src/wake/wake.ts',
    find: 'const drainer = await seeToDrainer(world, first.agenda, isBeside);',
    replace:
      "const drainer: DrainerStart = isBeside ? await seeToDrainer(world, first.agenda, true) : 'none';",
  },
  {
    name: 'a wake beside a busy queue starts nobody',
    file: 'src/wake/wake.ts',
    find: '    await world.drainers.startDetached();\n',
    replace: '',
  },
  {
    name: 'a drainer is thought alive while its breath is out',
    file: 'src/wake/see-to-drainer.ts',
    find: "if (!isDrainerWanted(control.state, writer) || !isWorthwhile(log.agenda, world)) return 'none';",
    replace: "if (control.state.drain.value !== 'free' || !isWorthwhile(log.agenda, world)) return 'none';",
  },
  {
    name: 'where Stash is process 1 nobody delivers',
    file: 'src/wake/see-to-drainer.ts',
    find: "if (!isHurried && gate(control.state, writer.now()).kind !== 'wait') {",
    replace:
      "if (isInit) return 'here';\n  if (!isHurried && gate(control.state, writer.now()).kind !== 'wait') {",
  },
  // The shell.
  {
    name: 'a prober that overslept asks all the same',
    file: 'src/breaker/probing.ts',
    find: "if (!isOurs || !isLeaseLive(control.state, 'probe', writer.now()))",
    replace: 'if (false)',
    tests: 'test/breaker/probing.test.ts',
  },
  {
    name: 'a reconciliation proves nothing',
    file: 'src/invocation/drain-session.ts',
    find: 'if (isCanary) await this.#acknowledge(1);\n        else this',
    replace: 'this',
    tests: 'test/invocation/reconcile.test.ts',
  },
  {
    name: 'a reconciliation waits for a job to close the breaker',
    file: 'src/invocation/drain-session.ts',
    find: "if (value === 'open') return 'nothing';",
    replace: "if (value !== 'closed') return 'nothing';",
    tests: 'test/invocation/reconcile.test.ts',
  },
  {
    name: 'who loses the race for the drain lease works all the same',
    file: 'src/breaker/drain-lease.ts',
    find: 'if (granted?.isVoid !== false) return null;',
    replace: 'if (granted === undefined) return null;',
  },
  {
    name: 'the epoch of now is taken for the one that was granted',
    file: 'src/breaker/drain-lease.ts',
    find: 'granted.after.drain.context.epoch',
    replace: 'control.state.drain.context.epoch',
    tests: 'test/breaker/drain-lease.test.ts',
  },
  {
    name: 'who is not granted a probe probes all the same',
    file: 'src/breaker/probing.ts',
    find: "if (step?.isVoid !== false) return { kind: 'not-ours' };",
    replace: '',
  },
  {
    name: 'an outcome covers what came while it was at work',
    file: 'src/invocation/batch.ts',
    find: 'const attempt = { job, upTo, isExtra:',
    replace: 'const attempt = { job, get upTo() { return queue.position; }, isExtra:',
  },
  {
    name: 'a drainer leaves without a last look at the queue',
    file: 'src/invocation/drainer.ts',
    find: '  await queue.refresh();\n  const now = world.writer.now();',
    replace: '  const now = world.writer.now();',
    tests: 'test/invocation/drainer.test.ts',
  },
  {
    name: 'the lease is not looked at before an edit',
    file: 'src/invocation/batch.ts',
    find: '        await lease.refresh();\n        await lease.renewIfNeeded();\n        hasWritten = true;',
    replace: '        hasWritten = true;',
    tests: 'test/invocation/drainer.test.ts',
  },
  {
    name: 'the token is what settings are known by',
    file: 'src/invocation/plex-contact.ts',
    find: 'const known = { id: machineIdentifier, under: this.#under };',
    replace: 'const known = { id: machineIdentifier, under: this.settings.plexToken };',
  },
  {
    name: 'an overloaded Plex is taken for an outage',
    file: 'src/plex/failures.ts',
    find: "{ status: 503, class: 'throttled', symptom: 'overload'",
    replace: "{ status: 503, class: 'outage', symptom: 'overload'",
  },
  {
    name: 'a scene without values is delivered like any other',
    file: 'src/sync/wanted.ts',
    find: 'return Object.keys(fields).length + genre.length + actor.length + collection.length === 0;',
    replace: 'return false;',
  },
  {
    name: 'a scene that lost its last value keeps our tags',
    file: 'src/sync/stance.ts',
    find: 'return isEmpty(wanted) && Object.values(known?.own ?? {}).every(({ length }) => length === 0);',
    replace: 'return isEmpty(wanted);',
  },
  {
    name: 'a folder is scanned for each file in it',
    file: 'src/sync/folder-scan.ts',
    find: 'if (askedAt === undefined || (queuedAt > askedAt && now - askedAt >= QUIET_MS)) {',
    replace: 'if (askedAt === undefined || now - QUIET_MS > 0) {',
  },
  {
    name: 'an item that has come is not looked for before its time',
    file: 'src/queue/queue.ts',
    find: 'job.scan !== undefined && job.scan !== scan',
    replace: "job.scan !== undefined && job.scan !== scan && scan === ''",
    tests: 'test/queue/remembered.test.ts',
  },
  // Two machines.
  {
    name: 'a wait of another machine is over at once',
    file: 'machines/time.ts',
    find: 'if (!isSameBoot && elapsedMs < -WALL_SKEW_MS) return 0;',
    replace: 'if (!isSameBoot) return 0;',
  },
  {
    name: 'a little skew between two machines is taken for a step',
    file: 'machines/time.ts',
    find: 'export const WALL_SKEW_MS = 5_000;',
    replace: 'export const WALL_SKEW_MS = 0;',
  },
  {
    name: 'two machines take the lease from each other without end',
    file: 'src/invocation/drainer.ts',
    find: "if (stop.kind === 'lease-lost' && (await isHeldElsewhere(control, world))) {",
    replace: "if (stop.kind === 'busy' && (await isHeldElsewhere(control, world))) {",
  },
  // What a person does by hand.
  {
    name: 'an undo goes over what others changed since',
    file: 'src/sync/rollback.ts',
    find: 'if (!ours.some((value) => isSame(field, shown, value))) {',
    replace: 'if (ours.length === 0) {',
  },
  {
    name: 'the oldest edit is undone and not the newest',
    file: 'src/invocation/undo.ts',
    find: 'const before = scope.since === null ? [] : (edits.get(job) ?? []);',
    replace: 'const before = edits.get(job) ?? [];',
  },
  {
    name: 'what there is to undo is read before the lease is held',
    file: 'src/invocation/undo.ts',
    find: 'const settled = await editsIn(world, scope);',
    replace: 'const settled = edits;',
  },
  {
    name: 'what was undone is delivered again',
    file: 'src/sync/rollback.ts',
    find: 'return isWished ? false : digestOfValue(wish);',
    replace: 'return false;',
  },
  {
    name: 'a field that was given back is delivered all the same',
    file: 'src/invocation/unlock.ts',
    find: "spares[part] = by === 'lock' ? false : null;",
    replace: 'spares[part] = false;',
  },
  {
    name: 'a field that is taken again waits for the next change',
    file: 'src/invocation/unlock.ts',
    find: "if (by === 'lock') await queue.appendOrThrow({ type: 'job.queued', job, cause: 'lock' });",
    replace: '',
  },
  {
    name: 'a field that is given back stays locked',
    file: 'src/invocation/unlock.ts',
    find: "const flag = by === 'lock' ? '1' : '0';",
    replace: "const flag = '1';",
  },
  // Other versions, and other boots.
  {
    name: 'what a newer version wrote beside an append is not looked at',
    file: 'src/breaker/control/control-log.ts',
    find: '    // A newer one wrote beside us: what became of ours is for its machines to say.\n    if (this.isNewer) return NEWER;\n',
    replace: '',
    tests: 'test/breaker/control/control-log.test.ts',
  },
  {
    name: 'a drainer goes on beside a newer version',
    file: 'src/breaker/drain-lease.ts',
    find: "if (this.#control.isNewer) throw new LeaseLost('a newer version is at work');",
    replace: '',
    tests: 'test/breaker/drain-lease.test.ts',
  },
  {
    name: 'a checkpoint is believed after a power loss',
    file: 'src/breaker/journal/checkpoint.ts',
    find: ' || checkpoint.boot !== boot',
    replace: '',
    tests: 'test/breaker/journal/checkpoint.test.ts',
  },
  {
    name: 'a segment that was made anew where one was dropped counts',
    file: 'src/breaker/journal/segment-writer.ts',
    find: 'if (end !== null && (await sealEndOf(this.#disk.pieces(fd))) === null) return false;',
    replace: '',
    tests: 'test/breaker/journal/segment-races.test.ts',
  },
  {
    name: 'a reader passes an image by where its segment is there',
    file: 'src/breaker/journal/segment-reader.ts',
    find: 'if (image !== null) return { entries: [], next: image };',
    replace: '',
    tests: 'test/breaker/journal/segment-races.test.ts',
  },
  // Outages.
  {
    name: 'a canary that fails begins another outage',
    file: 'src/outages/outages.ts',
    find: "if (from === 'closed' && to === 'open') return",
    replace: "if (from !== 'open' && to === 'open') return",
  },
  {
    name: 'time that nobody observed is forgotten',
    file: 'src/outages/outages.ts',
    find: 'unobservedMs: coverage.unobservedMs + ms }',
    replace: 'unobservedMs: coverage.unobservedMs }',
  },
];
