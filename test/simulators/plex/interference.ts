// What the faults which hit one request do to it, as a plan the exchange then follows.
// Several faults add up (slow and truncated, say); of those which decide the outcome, the oldest wins.
import { type Answer, errorPage, unauthorizedPage, unreachable } from './answer.ts';
import type { ActiveFault } from './faults.ts';

export type Outcome =
  | { readonly kind: 'serve' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'answer'; readonly answer: Answer };

export type Delivery =
  | { readonly kind: 'whole' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'truncated' }
  | { readonly kind: 'drip'; readonly bytesPerSecond: number };

export interface Interference {
  readonly faultId: string | 'none';
  readonly delayMs: number;
  readonly outcome: Outcome;
  readonly delivery: Delivery;
  readonly editDelayMs: number;
  readonly maxTagsPerKind: number;
  readonly machineIdentifier: string | 'own';
}

const undisturbed: Interference = {
  faultId: 'none',
  delayMs: 0,
  outcome: { kind: 'serve' },
  delivery: { kind: 'whole' },
  editDelayMs: 0,
  maxTagsPerKind: Number.POSITIVE_INFINITY,
  machineIdentifier: 'own',
};

export function interferenceOf(
  faults: readonly ActiveFault[],
  asked: { path: string; wantsJson: boolean },
): Interference {
  return faults.reduce((plan, fault) => interfere(plan, fault, asked), undisturbed);
}

function interfere(
  plan: Interference,
  { id, action }: ActiveFault,
  asked: { path: string; wantsJson: boolean },
): Interference {
  const named: Interference = { ...plan, faultId: plan.faultId === 'none' ? id : plan.faultId };
  const decided = (outcome: Outcome): Interference =>
    plan.outcome.kind === 'serve' ? { ...named, faultId: id, outcome } : named;
  const answered = (answer: Answer): Interference => decided({ kind: 'answer', answer });

  switch (action.kind) {
    case 'refuse':
    case 'flapping':
      return plan; // these act on the listener, never on a request
    case 'reset':
      return decided({ kind: 'reset' });
    case 'hang':
      return decided({ kind: 'hang' });
    case 'resetAfter':
      return { ...named, delivery: { kind: 'reset' } };
    case 'truncated':
      return { ...named, delivery: { kind: 'truncated' } };
    case 'slowDrip':
      return { ...named, delivery: { kind: 'drip', bytesPerSecond: action.bytesPerSecond } };
    case 'slow':
      return { ...named, delayMs: plan.delayMs + action.ms };
    case 'lateEdit':
      return { ...named, editDelayMs: action.ms };
    case 'tagsCapped':
      return { ...named, maxTagsPerKind: action.max };
    case 'otherServer':
      return { ...named, machineIdentifier: action.machineIdentifier };
    case 'maintenance':
      return answered({ kind: 'maintenance', phase: action.status });
    case 'overload':
      return answered(withRetryAfter(errorPage(503, 'Service Unavailable'), action.retryAfterSeconds));
    case 'error500':
      return answered(errorPage(500, 'Internal Server Error'));
    case 'badGateway':
      return answered(proxyPage(502, 'Bad Gateway'));
    case 'gatewayTimeout':
      return answered(proxyPage(504, 'Gateway Time-out'));
    case 'tooMany':
      return answered(withRetryAfter(proxyPage(429, 'Too Many Requests'), action.retryAfterSeconds));
    case 'unauthorized':
      return answered(unauthorizedPage(asked.path));
    case 'forbidden':
      return answered(errorPage(403, 'Forbidden'));
    case 'notFound':
      return answered(errorPage(404, 'Not Found'));
    case 'loginPage':
      return answered(loginPage);
    case 'garbage':
      return answered(
        plexText(asked.wantsJson, '{"MediaContainer":{"size":1,"Metadata":[{"ratingKey":', cutXml),
      );
    case 'noContainer':
      return answered(plexText(asked.wantsJson, '{}', `${xmlHead}<Response code="200" status="OK" />\n`));
    case 'status':
      return answered(errorPage(action.code, statusTitles[action.code] ?? 'Error'));
    default:
      return unreachable(action);
  }
}

const xmlHead = '<?xml version="1.0" encoding="UTF-8"?>\n';
const cutXml = `${xmlHead}<MediaContainer size="1"><Video ratingKey="10`;

const statusTitles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Request Entity Too Large',
  414: 'Request-URI Too Long',
  431: 'Request Header Fields Too Large',
};

const loginPage: Answer = {
  kind: 'text',
  origin: 'proxy',
  status: 200,
  contentType: 'text/html; charset=utf-8',
  body:
    '<!doctype html><html><head><title>Sign in</title></head><body><form method="post" action="/login">' +
    '<input name="user"><input name="password" type="password"></form></body></html>',
};

function proxyPage(status: number, title: string): Answer {
  const body =
    `<html>\r\n<head><title>${status} ${title}</title></head>\r\n<body>\r\n` +
    `<center><h1>${status} ${title}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n`;
  return { kind: 'text', origin: 'proxy', status, contentType: 'text/html', body };
}

function withRetryAfter(answer: Answer, seconds: number | undefined): Answer {
  if (answer.kind !== 'text' || seconds === undefined) return answer;
  return { ...answer, headers: { 'Retry-After': String(seconds) } };
}

function plexText(wantsJson: boolean, json: string, xml: string): Answer {
  const contentType = wantsJson ? 'application/json' : 'text/xml;charset=utf-8';
  return { kind: 'text', origin: 'plex', status: 200, contentType, body: wantsJson ? json : xml };
}
