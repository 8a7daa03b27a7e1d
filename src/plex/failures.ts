// What a symptom on the wire means: the one table. A row says which class it is; the class decides about
// the breaker and the job (machines/failure-classes.ts). test/plex/failures.test.ts produces each row over a real socket.

import type { FailureClass } from '../../machines/failure-classes.ts';
import { RETRY_AFTER_MAX_MS } from '../../machines/policy.ts';
import { DEFAULT_PAUSE_MS, type Failure } from '../breaker/index.ts';

export type { Failure } from '../breaker/index.ts';

/** What was asked when it happened: a 404 or 500 means different things. */
export type Asked = 'probe' | 'sections' | 'search' | 'item' | 'edit' | 'image';

interface Row {
  readonly class: FailureClass;
  readonly symptom: string;
  readonly says: string;
  /** Open the breaker after so many in a row, if that is fewer than the policy's threshold. */
  readonly opensAfter?: number;
}

/** Codes of Node and undici. Those that are not here are in `TLS_CODES` or are `UNKNOWN_NETWORK`. */
export const NETWORK_ROWS: Readonly<Record<string, Row>> = {
  ECONNREFUSED: { class: 'outage', symptom: 'refused', says: 'nothing listens at the address of Plex' },
  EHOSTUNREACH: { class: 'outage', symptom: 'unreachable', says: 'the host of Plex cannot be reached' },
  EHOSTDOWN: { class: 'outage', symptom: 'unreachable', says: 'the host of Plex is down' },
  ENETUNREACH: { class: 'outage', symptom: 'unreachable', says: 'the network of Plex cannot be reached' },
  ETIMEDOUT: { class: 'outage', symptom: 'connect-timeout', says: 'the host of Plex does not answer' },
  UND_ERR_CONNECT_TIMEOUT: {
    class: 'outage',
    symptom: 'connect-timeout',
    says: 'the host of Plex does not answer',
  },
  ENOTFOUND: { class: 'outage', symptom: 'name-not-found', says: 'the name of the Plex host is not known' },
  EAI_AGAIN: {
    class: 'outage',
    symptom: 'name-not-found',
    says: 'the name of the Plex host cannot be looked up',
  },
  ECONNRESET: { class: 'outage', symptom: 'reset', says: 'Plex broke the connection off' },
  EPIPE: { class: 'outage', symptom: 'reset', says: 'Plex broke the connection off' },
  UND_ERR_SOCKET: { class: 'outage', symptom: 'reset', says: 'Plex broke the connection off' },
  DEADLINE: { class: 'transient', symptom: 'timeout', says: 'Plex took too long to answer' },
  BODY_CUT: { class: 'transient', symptom: 'garbage', says: 'the answer was cut short' },
  UND_ERR_HEADERS_OVERFLOW: {
    class: 'transient',
    symptom: 'garbage',
    says: 'the head of the answer is absurdly large',
  },
  HTTP_PARSER: { class: 'transient', symptom: 'garbage', says: 'the answer is not HTTP' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: {
    class: 'transient',
    symptom: 'garbage',
    says: 'the answer was cut short',
  },
  UND_ERR_RES_EXCEEDED_MAX_SIZE: {
    class: 'transient',
    symptom: 'garbage',
    says: 'the answer is absurdly large',
  },
};

const UNKNOWN_NETWORK: Row = { class: 'outage', symptom: 'network', says: 'the connection to Plex failed' };
const BAD_TLS: Row = {
  class: 'config',
  symptom: 'tls',
  says: 'the certificate or scheme of Plex is not accepted: check plexUrl, or set allowSelfSigned',
};
const NEVER_WORKED: Row = {
  class: 'config',
  symptom: 'name-not-found',
  says: 'the name of the Plex host is not known, and it has never worked: check plexUrl',
};

/** Statuses, whatever was asked. `asked` narrows a row; the first that fits counts. */
interface StatusRow extends Row {
  readonly status: number | readonly number[] | { readonly from: number; readonly to: number };
  readonly asked?: readonly Asked[];
  readonly isMaintenance?: boolean;
}

export const STATUS_ROWS: readonly StatusRow[] = [
  {
    status: 503,
    isMaintenance: true,
    class: 'maintenance',
    symptom: 'maintenance',
    says: 'Plex is starting up or migrating its database',
  },
  { status: 503, class: 'throttled', symptom: 'overload', says: 'Plex is overloaded' },
  { status: 429, class: 'throttled', symptom: 'too-many', says: 'Plex or its proxy asks for a pause' },
  {
    status: 502,
    class: 'outage',
    symptom: 'bad-gateway',
    says: 'a proxy does not reach Plex',
    opensAfter: 2,
  },
  {
    status: 504,
    class: 'outage',
    symptom: 'bad-gateway',
    says: 'a proxy waits in vain for Plex',
    opensAfter: 2,
  },
  { status: 401, class: 'config', symptom: 'unauthorized', says: 'Plex refuses the token: check plexToken' },
  {
    status: 403,
    class: 'config',
    symptom: 'forbidden',
    says: "Plex refuses the token here: editing needs the owner's plexToken",
  },
  {
    status: 404,
    asked: ['sections', 'search', 'probe'],
    class: 'config',
    symptom: 'no-section',
    says: 'the Plex library is not there: was it made anew? check plexUrl and plexLibraries',
  },
  { status: 404, class: 'missing', symptom: 'gone', says: 'the Plex item is not there any more' },
  {
    status: { from: 300, to: 399 },
    class: 'config',
    symptom: 'redirect',
    says: 'the address of Plex leads elsewhere: check plexUrl',
  },
  {
    status: 500,
    asked: ['probe', 'sections'],
    class: 'outage',
    symptom: 'error-500',
    says: 'Plex fails even at simple questions',
  },
  {
    status: { from: 500, to: 599 },
    class: 'transient',
    symptom: 'error-500',
    says: 'Plex failed at this request',
  },
  {
    status: 408,
    class: 'transient',
    symptom: 'timeout',
    says: 'Plex or its proxy waited too long for us',
  },
  // A refused edit is about this scene; a refused question is about all of them.
  {
    status: { from: 400, to: 499 },
    asked: ['probe', 'sections', 'search', 'item'],
    class: 'config',
    symptom: 'refused-request',
    says: 'what answers does not accept a plain question: is it Plex? check plexUrl',
  },
  {
    status: [413, 414, 431],
    class: 'rejected',
    symptom: 'too-large',
    says: 'the edit is too long for Plex or its proxy',
  },
  {
    status: { from: 400, to: 499 },
    class: 'rejected',
    symptom: 'rejected',
    says: 'Plex does not accept this edit',
  },
];

/** Answers with status 200 that are none. */
export const BODY_ROWS = {
  html: {
    class: 'config',
    symptom: 'login-page',
    says: 'a web page answered in place of Plex (a log-in page of a proxy?): check plexUrl',
  },
  garbage: { class: 'transient', symptom: 'garbage', says: 'the answer of Plex cannot be read' },
  noContainer: {
    class: 'config',
    symptom: 'no-section',
    says: 'Plex answers without a library: was it made anew? check plexLibraries',
  },
  otherServer: {
    class: 'config',
    symptom: 'other-server',
    says: 'another Plex server answers at this address: check plexUrl, or confirm it with Check Plex',
  },
} satisfies Record<string, Row>;

/** Every symptom there is: the closed list of what may stand in a log. */
export const SYMPTOMS: ReadonlySet<string> = new Set(
  [
    ...Object.values(NETWORK_ROWS),
    ...STATUS_ROWS,
    ...Object.values(BODY_ROWS),
    UNKNOWN_NETWORK,
    BAD_TLS,
    NEVER_WORKED,
  ].map(({ symptom }) => symptom),
);

const MIN_PAUSE_MS = 1_000;

export function ofNetwork(code: string, hasEverWorked: boolean): Failure {
  const known = NETWORK_ROWS[code];
  if (known?.symptom === 'name-not-found' && !hasEverWorked) return failure(NEVER_WORKED, code);
  if (known !== undefined) return failure(known, code);
  return failure(isTls(code) ? BAD_TLS : UNKNOWN_NETWORK, code);
}

/** `retryAfter` is the header as it came, `now` wall ms (for its date form). */
export function ofStatus(
  status: number,
  asked: Asked,
  body: string,
  retryAfter: string | undefined,
  now: number,
): Failure {
  const isMaintenance = status === 503 && /"title"\s*:\s*"Maintenance"|title="Maintenance"/.test(body);
  const row = STATUS_ROWS.find((candidate) => fits(candidate, status, asked, isMaintenance));
  const found = failure(row ?? BODY_ROWS.garbage, `HTTP ${status}`);
  const pauseMs = retryAfterMs(retryAfter, now);
  const isUsable = pauseMs !== null && pauseMs >= MIN_PAUSE_MS;
  if (isUsable) return { ...found, retryAfterMs: Math.min(pauseMs, RETRY_AFTER_MAX_MS) };
  return found.class === 'throttled' ? { ...found, retryAfterMs: DEFAULT_PAUSE_MS } : found;
}

export function ofBody(kind: keyof typeof BODY_ROWS): Failure {
  return failure(BODY_ROWS[kind], 'HTTP 200');
}

/** Seconds or an HTTP date; null when it is neither. */
export function retryAfterMs(header: string | undefined, now: number): number | null {
  if (header === undefined) return null;
  const seconds = /^\s*(\d{1,9})\s*$/.exec(header);
  if (seconds !== null) return Number(seconds[1]) * 1000;
  // Date.parse makes a date of almost anything: only what begins with a weekday is one here.
  const date = /^\s*[A-Za-z]{3,}/.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

function fits(row: StatusRow, status: number, asked: Asked, isMaintenance: boolean): boolean {
  if (!isAmong(status, row.status)) return false;
  if (row.asked !== undefined && !row.asked.includes(asked)) return false;
  return row.isMaintenance !== true || isMaintenance;
}

function isAmong(status: number, among: StatusRow['status']): boolean {
  if (typeof among === 'number') return status === among;
  return 'from' in among ? status >= among.from && status <= among.to : among.includes(status);
}

function failure(row: Row, code: string): Failure {
  const found = { class: row.class, symptom: row.symptom, detail: `${row.says} (${code})` };
  return row.opensAfter === undefined ? found : { ...found, opensAfter: row.opensAfter };
}

function isTls(code: string): boolean {
  return (
    /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|EPROTO)/.test(code) ||
    code === 'DEPTH_ZERO_SELF_SIGNED_CERT' ||
    code === 'SELF_SIGNED_CERT_IN_CHAIN'
  );
}
