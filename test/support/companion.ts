// A companion as Docker would run it: the built command as a process beside a Stash, and a launcher that hands it wishes
// as src/door/breakwater-no-node.sh does.

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { BUNDLE, type LiveWorld, until } from './live-world.ts';

export class CompanionProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<number | null>;
  log = '';

  constructor({ data, stash }: Pick<LiveWorld, 'data' | 'stash'>, ...words: readonly string[]) {
    const env = { ...process.env, STASH_URL: stash.url, NODE_EXTRA_CA_CERTS: '' };
    this.#child = spawn(process.execPath, [BUNDLE, 'watch', '--data', data, ...words], {
      stdio: 'pipe',
      env,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk) => {
        this.log += String(chunk);
      });
    }
    this.ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Its exit code; null after a signal that it could not handle. */
  end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    return this.ended;
  }
}

export interface WishFiles {
  readonly json: string;
  readonly taken: string;
  readonly log: string;
  readonly out: string;
}

export class FakeLauncher {
  readonly folder: string;
  #count = 0;

  constructor(data: string) {
    this.folder = path.join(data, 'companion');
  }

  /** The folder is the companion's to make. */
  async ready(): Promise<void> {
    await until('a companion is alive', () => existsSync(path.join(this.folder, 'alive')));
  }

  /** Puts a wish there. */
  put(content: string | Buffer): WishFiles {
    this.#count += 1;
    const files = this.files(`wish-${process.pid}-${this.#count}`);
    writeFileSync(files.log, '', { mode: 0o600 });
    writeFileSync(`${files.json}.tmp`, content, { mode: 0o600 });
    renameSync(`${files.json}.tmp`, files.json);
    return files;
  }

  files(id: string): WishFiles {
    const file = (kind: string) => path.join(this.folder, `${id}.${kind}`);
    return { json: file('json'), taken: file('taken'), log: file('log'), out: file('out') };
  }

  /** Its answer and the lines of its log, once it is answered. */
  async answerOf({
    out,
    log,
    taken,
  }: WishFiles): Promise<{ answer: Record<string, unknown>; log: string[] }> {
    await until('the wish is answered', () => existsSync(out));
    const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
    const answer = JSON.parse(readFileSync(out, 'utf8')) as Record<string, unknown>;
    for (const file of [out, log, taken]) rmSync(file);
    return { answer, log: lines };
  }

  wish(args: Record<string, unknown>): WishFiles {
    return this.put(JSON.stringify(documentWith(args)));
  }
}

/** As Stash writes it, and the launcher leaves it. */
function documentWith(args: Record<string, unknown>) {
  const server_connection = {
    Scheme: 'http',
    Host: '0.0.0.0',
    Port: 9999,
    SessionCookie: null,
    Dir: '/root/.stash',
    PluginDir: '/root/.stash/plugins/breakwater',
  };
  return { server_connection, args };
}
