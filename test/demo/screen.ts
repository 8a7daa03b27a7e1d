// What the demo prints, and how: 80 columns, a clock in front of what happens, colour only where a person
// looks. It knows nothing of what it says.

export type Tone = 'plain' | 'good' | 'bad' | 'warn' | 'quiet' | 'strong';

export interface ScreenOptions {
  readonly write: (text: string) => void;
  readonly isColoured: boolean;
  /** Wall clock, ms: second 0 of the demo. */
  readonly startedAt: number;
}

const COLUMNS = 80;
const ACTOR_COLUMNS = 10;
/** Where the text of a happening begins: behind the clock and who did it. */
const TEXT_COLUMN = 8 + ACTOR_COLUMNS + 2;

const CODES: Readonly<Record<Tone, string>> = {
  plain: '',
  good: '32',
  bad: '31',
  warn: '33',
  quiet: '2',
  strong: '1',
};

export class Screen {
  readonly #options: ScreenOptions;
  #saidAt = 0;

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  /** Seconds since the start of the demo, as it shows them. */
  clock(at: number): string {
    return `${(Math.max(0, at - this.#options.startedAt) / 1000).toFixed(1)} s`;
  }

  /** One thing that happened. Lines never go back in time, though the news of one may come late. */
  happened(actor: string, text: string, tone: Tone = 'plain', at = Date.now()): void {
    this.#saidAt = Math.max(this.#saidAt, at);
    const head = `${this.clock(this.#saidAt).padStart(7)} ${actor.padEnd(ACTOR_COLUMNS)}  `;
    const [first = '', ...rest] = wrapped(text, COLUMNS - TEXT_COLUMN);
    const time = this.#tinted(head.slice(0, 8), 'quiet');
    this.#line(`${time}${this.#tinted(head.slice(8), tone)}${this.#tinted(first, tone)}`);
    for (const line of rest) this.#line(`${' '.repeat(TEXT_COLUMN)}${this.#tinted(line, tone)}`);
  }

  heading(text: string): void {
    this.#line('');
    this.#line(this.#tinted(text, 'strong'));
    this.#line(this.#tinted('─'.repeat(COLUMNS), 'quiet'));
  }

  /** Wrapped, and every line but the first `hang` columns further in. */
  text(text: string, tone: Tone = 'plain', indent = 0, hang = 0): void {
    const lines = wrapped(text, COLUMNS - indent - hang);
    for (const [index, line] of lines.entries()) {
      this.#line(`${' '.repeat(index === 0 ? indent : indent + hang)}${this.#tinted(line, tone)}`);
    }
  }

  /** As it is: for tables. */
  row(text: string, tone: Tone = 'plain'): void {
    this.#line(this.#tinted(text.trimEnd(), tone));
  }

  blank(): void {
    this.#line('');
  }

  #line(text: string): void {
    this.#options.write(`${text}\n`);
  }

  #tinted(text: string, tone: Tone): string {
    const code = CODES[tone];
    return code === '' || !this.#options.isColoured ? text : `\u001b[${code}m${text}\u001b[0m`;
  }
}

/** At blanks; a word that is longer than a line stays whole, so that paths can be copied. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

export function seconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
}
