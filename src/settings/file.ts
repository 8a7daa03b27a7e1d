// The settings file in the data dir: for what is set once and seldom, so that Stash's page stays short. It is read anew
// each time the settings are, and only ever written when a person takes settings over from another plugin.

export const SETTINGS_FILE = 'breakwater.json';

export type SettingsFile =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'read';
      readonly name: string;
      readonly values: Readonly<Record<string, unknown>>;
    }
  /** There, and no use: what is wrong with it. */
  | { readonly kind: 'bad'; readonly name: string; readonly problem: string };

export const NO_FILE: SettingsFile = { kind: 'none' };

/** `text`: null where there is no file. */
export function parseSettingsFile(text: string | null): SettingsFile {
  if (text === null) return NO_FILE;
  const bad = (problem: string): SettingsFile => ({ kind: 'bad', name: SETTINGS_FILE, problem });
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    // The message of Node quotes the text, which may hold what nobody should see.
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    const line = at === undefined ? '' : ` in line ${text.slice(0, Number(at)).split('\n').length}`;
    return bad(`is not JSON${line}; nothing in it is used`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return bad('must be one object, like {"requestTimeout": 20}; nothing in it is used');
  }
  return { kind: 'read', name: SETTINGS_FILE, values: json as Record<string, unknown> };
}
