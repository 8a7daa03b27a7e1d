// One request from arrival to answer: record it, let the faults have their say, check the token, handle, deliver.
// The order is Plex's: maintenance answers before anything else does, and /identity never asks for a token.
// A token is compared and forgotten; it is never written to the record.
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type Answer,
  errorPage,
  type MaintenancePhase,
  render,
  unauthorizedPage,
  unreachable,
} from './answer.ts';
import { deliver } from './delivery.ts';
import type { TagMode } from './edit.ts';
import { type FaultBoard, keysAskedFor } from './faults.ts';
import { type Delivery, type Interference, interferenceOf } from './interference.ts';
import type { PlexLibrary } from './library.ts';
import { lastValue, type PageWanted, pageWanted, parseTarget, type QueryPair, splitList } from './query.ts';
import { handle } from './routes.ts';
import type { Timers } from './timers.ts';

export interface RecordedRequest {
  readonly at: number;
  readonly method: string;
  readonly path: string;
  /** Decoded; the last of a repeated name; without the token. */
  readonly query: Readonly<Record<string, string>>;
  /** null: no answer was sent (reset, hang). */
  status: number | null;
  faultId?: string;
  /** True for what a careful client never sends: an edit without `id=`, a DELETE. */
  dangerous?: boolean;
  readonly tokenSeen: boolean;
  bodyBytes: number;
}

export interface ExchangeContext {
  readonly library: PlexLibrary;
  readonly board: FaultBoard;
  readonly timers: Timers;
  readonly token: string;
  readonly tagMode: TagMode;
  readonly machineIdentifier: string;
  readonly startedAtS: number;
  readonly requests: RecordedRequest[];
  nowMs(): number;
  phase(): MaintenancePhase | 'running';
  /** Changes when the process is killed; work begun in an earlier life is not carried out. */
  life(): number;
}

/** The oldest tenth goes when the log is full. */
export const maxRecordedRequests = 200_000;
const maxBodyBytes = 64 * 1024 * 1024;
/** Scans and refreshes are done this long after their answer: never before it, as on the real server. */
const backgroundWorkMs = 20;

export async function exchange(
  context: ExchangeContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const life = context.life();
  const method = request.method ?? 'GET';
  const { path, pairs } = parseTarget(request.url ?? '/');
  const wantsJson = String(request.headers.accept ?? '').includes('application/json');
  const presented = lastValue(pairs, 'X-Plex-Token') ?? request.headers['x-plex-token'];
  const record = recordOf(context, method, path, pairs, presented !== undefined);

  const send = async (answer: Answer, delivery: Delivery): Promise<void> => {
    const rendered = render(answer, wantsJson);
    if (delivery.kind !== 'reset') record.status = rendered.status;
    await deliver(request, response, rendered, delivery, context.timers);
  };

  const phase = context.phase();
  if (phase !== 'running') {
    request.resume();
    return send({ kind: 'maintenance', phase }, { kind: 'whole' });
  }

  const asked = { method, path, keys: keysAskedFor(path, splitList(lastValue(pairs, 'id'))) };
  const plan = interferenceOf(context.board.hitting(asked), { path, wantsJson });
  if (plan.faultId !== 'none') record.faultId = plan.faultId;
  if (plan.outcome.kind === 'reset') {
    request.socket.resetAndDestroy();
    return;
  }
  const body = await readBody(request);
  if (body === 'cut off' || plan.outcome.kind === 'hang') return;
  if (body === 'too large') return send(errorPage(413, 'Request Entity Too Large'), plan.delivery);
  record.bodyBytes = body.length;
  if (plan.delayMs > 0) await context.timers.pause(plan.delayMs);
  if (context.life() !== life) return;

  switch (plan.outcome.kind) {
    case 'answer':
      return send(plan.outcome.answer, plan.delivery);
    case 'serve': {
      const isAllowed =
        presented === context.token || path === '/identity' || context.library.quirks.isTokenOptional;
      if (!isAllowed) return send(unauthorizedPage(path), plan.delivery);
      const asWanted = { method, path, pairs, page: pageOfRequest(pairs, request), body };
      const { answer, isDangerous } = await handle(worldFor(context, plan), asWanted);
      if (isDangerous) record.dangerous = true;
      return send(answer, plan.delivery);
    }
    default:
      return unreachable(plan.outcome);
  }
}

function pageOfRequest(pairs: readonly QueryPair[], request: IncomingMessage): PageWanted {
  return pageWanted(pairs, request.headers);
}

function worldFor(context: ExchangeContext, plan: Interference) {
  const { library, tagMode, timers } = context;
  const { editDelayMs, maxTagsPerKind } = plan;
  const machineIdentifier =
    plan.machineIdentifier === 'own' ? context.machineIdentifier : plan.machineIdentifier;
  return {
    library,
    tagMode,
    maxTagsPerKind,
    face: { machineIdentifier, startedAtS: context.startedAtS },
    commit: (change: () => void): void => {
      if (editDelayMs > 0) timers.after(editDelayMs, change);
      else change();
    },
    later: (work: () => void): void => {
      timers.after(backgroundWorkMs, work);
    },
  };
}

function recordOf(
  context: ExchangeContext,
  method: string,
  path: string,
  pairs: readonly QueryPair[],
  tokenSeen: boolean,
): RecordedRequest {
  const kept = pairs.filter((pair) => pair.name.toLowerCase() !== 'x-plex-token');
  const query = Object.fromEntries(kept.map(({ name, value }) => [name, value]));
  const record: RecordedRequest = {
    at: context.nowMs(),
    method,
    path,
    query,
    status: null,
    tokenSeen,
    bodyBytes: 0,
  };
  const { requests } = context;
  if (requests.length >= maxRecordedRequests) requests.splice(0, maxRecordedRequests / 10);
  requests.push(record);
  return record;
}

async function readBody(request: IncomingMessage): Promise<Buffer | 'cut off' | 'too large'> {
  const chunks: Buffer[] = [];
  let totalBytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      totalBytes += chunk.length;
      if (totalBytes <= maxBodyBytes) chunks.push(chunk);
    }
  } catch {
    return 'cut off';
  }
  return totalBytes > maxBodyBytes ? 'too large' : Buffer.concat(chunks);
}
