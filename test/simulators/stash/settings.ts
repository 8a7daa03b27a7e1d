// Plugin settings as config.yml keeps them. Up to v0.25 every key goes through snake_case and back on the
// way (plexURL comes out as plexUrL, plex_token as plexToken: facts, section 6); from v0.26 keys stay.
import type { Features } from './versions.ts';

export type SettingValues = Readonly<Record<string, unknown>>;

export class PluginSettings {
  readonly #byPlugin = new Map<string, SettingValues>();
  readonly #features: Features;

  constructor(features: Features) {
    this.#features = features;
  }

  /** Replaces the plugin's whole map and gives it back as Stash would read it. */
  configure(pluginId: string, values: SettingValues): SettingValues {
    const entries = Object.entries(values).map(([key, value]) => [this.#kept(key), value] as const);
    const kept = Object.fromEntries(entries);
    this.#byPlugin.set(pluginId, kept);
    return kept;
  }

  /** A plugin that was never configured is absent, not empty. */
  read(include: readonly string[] | null | undefined): Record<string, SettingValues> {
    const wanted = [...this.#byPlugin].filter(([id]) => include == null || include.includes(id));
    return Object.fromEntries(wanted);
  }

  #kept(key: string): string {
    return this.#features.manglesSettingKeys ? fromSnakeCase(toSnakeCase(key)) : key;
  }
}

/** Only every second capital of a row is marked, which is what loses acronyms. */
function toSnakeCase(key: string): string {
  let text = '';
  let isMarked = false;
  for (const [index, letter] of [...key].entries()) {
    isMarked = !isMarked && index > 0 && letter !== letter.toLowerCase();
    text += isMarked ? `_${letter.toLowerCase()}` : letter.toLowerCase();
  }
  return text;
}

function fromSnakeCase(key: string): string {
  return key.replace(/(?<!^)_+(.?)/g, (_, letter: string) => letter.toUpperCase());
}
