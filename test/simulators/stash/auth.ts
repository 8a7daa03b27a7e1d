// Who may ask, and the session cookie a plugin gets. The cookie is signed; it carries the user and which
// (plugin, hook) pairs led here, and is the only thing that stops a hook from calling itself for ever.
// A client that writes with the ApiKey instead carries no such list, as in Stash.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Features } from './versions.ts';

const SIGNATURE_BYTES = 32;

export interface Visited {
  readonly pluginId: string;
  readonly hookType: string;
}

export type Identity =
  | { readonly kind: 'allowed'; readonly user: string; readonly visited: readonly Visited[] }
  | {
      readonly kind: 'refused';
      readonly status: 401 | 500;
      readonly text: string;
      /** Came with nothing that counts, rather than with a wrong key. */
      readonly isStranger: boolean;
    };

export interface AuthOptions {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly apiKey?: string | undefined;
  readonly maxSessionAgeS: number;
}

interface Session {
  readonly user: string;
  readonly visited: readonly Visited[];
  readonly madeAt: number;
}

export class Auth {
  readonly #options: AuthOptions;
  readonly #features: Features;
  readonly #secret = randomBytes(32);
  readonly #now: () => number;

  constructor(options: AuthOptions, features: Features, now: () => number = Date.now) {
    this.#options = options;
    this.#features = features;
    this.#now = now;
  }

  /** Any of username, password and apiKey closes the server. */
  get isOpen(): boolean {
    const { username, password, apiKey } = this.#options;
    return username === undefined && password === undefined && apiKey === undefined;
  }

  identify(request: IncomingMessage, query: URLSearchParams): Identity {
    const given = request.headers.apikey ?? query.get('apikey') ?? '';
    const key = Array.isArray(given) ? (given[0] ?? '') : given;
    if (key !== '') {
      if (this.#options.apiKey !== undefined && isSame(key, this.#options.apiKey)) {
        return { kind: 'allowed', user: this.user, visited: [] };
      }
      const status = this.#features.wrongKeyStatus;
      return { kind: 'refused', status, text: status === 500 ? 'unauthorized\n' : '', isStranger: false };
    }
    const session = this.#sessionOf(request);
    if (session !== undefined && (this.isOpen || session.user !== '')) {
      return { kind: 'allowed', user: session.user, visited: session.visited };
    }
    if (this.isOpen) return { kind: 'allowed', user: '', visited: [] };
    return { kind: 'refused', status: 401, text: '', isStranger: true };
  }

  cookieValue(user: string, visited: readonly Visited[]): string {
    const session: Session = { user, visited, madeAt: this.#now() };
    const body = Buffer.from(JSON.stringify(session)).toString('base64url');
    const text = `${Math.floor(session.madeAt / 1000)}|${body}|`;
    return Buffer.concat([Buffer.from(text), this.#sign(text)]).toString('base64url');
  }

  login(username: string, password: string): string | undefined {
    const { username: wantedName = '', password: wantedPassword = '' } = this.#options;
    if (!isSame(username, wantedName) || !isSame(password, wantedPassword)) return undefined;
    return this.cookieValue(this.user, []);
  }

  get user(): string {
    return this.isOpen ? '' : (this.#options.username ?? 'admin');
  }

  #sessionOf(request: IncomingMessage): Session | undefined {
    const cookies = (request.headers.cookie ?? '').split(';').map((part) => part.trim());
    const value = cookies.find((part) => part.startsWith('session='))?.slice('session='.length);
    if (value === undefined) return undefined;
    const bytes = Buffer.from(value, 'base64url');
    if (bytes.length <= SIGNATURE_BYTES) return undefined;
    const text = bytes.subarray(0, bytes.length - SIGNATURE_BYTES).toString();
    const signature = bytes.subarray(bytes.length - SIGNATURE_BYTES);
    if (!timingSafeEqual(signature, this.#sign(text))) return undefined;
    const session = JSON.parse(Buffer.from(text.split('|')[1]!, 'base64url').toString()) as Session;
    const ageS = (this.#now() - session.madeAt) / 1000;
    return ageS <= this.#options.maxSessionAgeS ? session : undefined;
  }

  #sign(text: string): Buffer {
    return createHmac('sha256', this.#secret).update(text).digest();
  }
}

function isSame(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
