// One tree, two notations: what a handler answers, and how it becomes XML (the default) or JSON bytes.
// It must never let the two differ in content. Newlines in XML attributes are written `&#10;`: a raw one would reach
// ElementTree as a blank, and a client's read-back would then never match what it wrote.

export type Scalar = string | number | boolean;

export interface TreeNode {
  /** Element name in XML (`Video`). */
  readonly element: string;
  /** Member name in JSON (`Metadata`). */
  readonly member: string;
  readonly attributes: Readonly<Record<string, Scalar | undefined>>;
  readonly children: readonly TreeNode[];
}

export type MaintenancePhase = 'migrations' | 'startup';

export type Answer =
  | { readonly kind: 'tree'; readonly root: TreeNode; readonly listing?: { start: number; total: number } }
  /** A successful edit, scan or refresh: 200, text/html, no body. */
  | { readonly kind: 'empty' }
  | { readonly kind: 'bytes'; readonly contentType: string; readonly body: Buffer }
  | { readonly kind: 'maintenance'; readonly phase: MaintenancePhase }
  /** Anything else, word for word. `proxy` answers carry none of Plex's own headers. */
  | {
      readonly kind: 'text';
      readonly origin: 'plex' | 'proxy';
      readonly status: number;
      readonly contentType: string;
      readonly body: string;
      readonly headers?: Readonly<Record<string, string>>;
    };

export interface RenderedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly isCompressible: boolean;
}

const xmlType = 'text/xml;charset=utf-8';
const jsonType = 'application/json';
const xmlDeclaration = '<?xml version="1.0" encoding="UTF-8"?>\n';

export function render(answer: Answer, wantsJson: boolean): RenderedAnswer {
  switch (answer.kind) {
    case 'tree': {
      const body = Buffer.from(wantsJson ? toJson(answer.root) : toXml(answer.root));
      const headers: Record<string, string> = {
        ...plexHeaders,
        'Content-Type': wantsJson ? jsonType : xmlType,
      };
      if (answer.listing !== undefined) {
        headers['X-Plex-Container-Start'] = String(answer.listing.start);
        headers['X-Plex-Container-Total-Size'] = String(answer.listing.total);
      }
      return { status: 200, headers, body, isCompressible: true };
    }
    case 'empty':
      return rendered(200, { ...plexHeaders, 'Content-Type': 'text/html' }, Buffer.alloc(0));
    case 'bytes':
      return rendered(200, { ...plexHeaders, 'Content-Type': answer.contentType }, answer.body);
    case 'maintenance': {
      const status = maintenanceStatus[answer.phase];
      const body = wantsJson
        ? JSON.stringify({ code: 503, title: 'Maintenance', status })
        : `${xmlDeclaration}<Response code="503" title="Maintenance" status="${status}"/>\n`;
      const headers = { ...plexHeaders, 'Content-Type': wantsJson ? jsonType : xmlType };
      return rendered(503, headers, Buffer.from(body));
    }
    case 'text': {
      const own = answer.origin === 'plex' ? plexHeaders : { Server: 'nginx' };
      const headers = { ...own, 'Content-Type': answer.contentType, ...answer.headers };
      return rendered(answer.status, headers, Buffer.from(answer.body));
    }
    default:
      return unreachable(answer);
  }
}

export function toXml(root: TreeNode): string {
  const lines: string[] = [];
  writeElement(root, lines);
  return `${xmlDeclaration}${lines.join('\n')}\n`;
}

export function toJson(root: TreeNode): string {
  return JSON.stringify({ [root.member]: jsonMembers(root) });
}

export function node(
  names: string | { readonly element: string; readonly member: string },
  attributes: TreeNode['attributes'],
  children: readonly TreeNode[] = [],
): TreeNode {
  const { element, member } = typeof names === 'string' ? { element: names, member: names } : names;
  return { element, member, attributes, children };
}

/** The page Plex answers errors with; it is the same under Accept: application/json (facts, section 2). */
export function errorPage(status: number, title: string): Answer {
  return plexPage(
    status,
    `<html><head><title>${title}</title></head><body><h1>${status} ${title}</h1></body></html>`,
  );
}

/** 401; at `/` the head also sends a browser on to the web client. */
export function unauthorizedPage(path: string): Answer {
  if (path !== '/') return errorPage(401, 'Unauthorized');
  const script =
    "<script>window.location = window.location.href.match(/(^.+\\/)[^\\/]*$/)[1] + 'web/index.html';</script>";
  return plexPage(
    401,
    `<html><head>${script}<title>Unauthorized</title></head><body><h1>401 Unauthorized</h1></body></html>`,
  );
}

export function unreachable(value: never): never {
  throw new Error(`plex simulator: unhandled case ${JSON.stringify(value)}`);
}

const plexHeaders = { 'X-Plex-Protocol': '1.0', 'Cache-Control': 'no-cache' } as const;

const maintenanceStatus: Record<MaintenancePhase, string> = {
  migrations: 'Plex Media Server is currently running database migrations.',
  startup: 'Plex Media Server is currently running startup maintenance tasks.',
};

function plexPage(status: number, body: string): Answer {
  return { kind: 'text', origin: 'plex', status, contentType: 'text/html', body };
}

function rendered(status: number, headers: Record<string, string>, body: Buffer): RenderedAnswer {
  return { status, headers, body, isCompressible: false };
}

function writeElement(tree: TreeNode, lines: string[]): void {
  const attributes = Object.entries(tree.attributes)
    .filter((entry): entry is [string, Scalar] => entry[1] !== undefined)
    .map(([name, value]) => ` ${name}="${xmlValue(value)}"`)
    .join('');
  // A container without children is still written with an end tag, as the recorded server does.
  if (tree.children.length === 0 && tree.element !== 'MediaContainer') {
    lines.push(`<${tree.element}${attributes} />`);
    return;
  }
  lines.push(`<${tree.element}${attributes}>`);
  for (const child of tree.children) writeElement(child, lines);
  lines.push(`</${tree.element}>`);
}

function jsonMembers(tree: TreeNode): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(tree.attributes)) {
    if (value !== undefined) members[name] = value;
  }
  const lists = new Map<string, unknown[]>();
  for (const child of tree.children) {
    const list = lists.get(child.member) ?? [];
    list.push(jsonMembers(child));
    lists.set(child.member, list);
  }
  for (const [member, list] of lists) members[member] = list;
  return members;
}

const xmlEscapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\n': '&#10;',
  '\r': '&#13;',
  '\t': '&#9;',
};

function xmlValue(value: Scalar): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return [...String(value)]
    .filter(isXmlCharacter)
    .map((character) => xmlEscapes[character] ?? character)
    .join('');
}

// XML 1.0 has no notation at all for most control characters, so Plex drops them.
function isXmlCharacter(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d;
  return !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
}
