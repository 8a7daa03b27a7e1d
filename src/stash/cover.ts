// The cover of a scene, as Stash hands it out: what can be shown in Plex, or why it cannot. Told by its first bytes, not
// by what Stash says it is: right after a scan Stash answers with a drawn placeholder, and some covers are videos.

import { createHash } from 'node:crypto';

export type Cover =
  /** Still the one that the validator (an entity tag or a date) is of. */
  | { readonly kind: 'same' }
  | { readonly kind: 'picture'; readonly bytes: Buffer; readonly sha1: string; readonly validator: string }
  /** There may be one later. */
  | { readonly kind: 'none-yet'; readonly detail: string }
  /** There is one, and it never fits. */
  | { readonly kind: 'unfit'; readonly detail: string };

/** Plex fails at more, in bytes (facts, section 7). */
const MAX_PICTURE_BYTES = 10_480_000;

export function coverOf(bytes: Buffer, validator: string): Cover {
  if (bytes.length === 0) return { kind: 'none-yet', detail: 'Stash gave an empty cover' };
  if (/^\s*(<\?xml|<!--|<svg)/i.test(bytes.subarray(0, 100).toString('latin1'))) {
    return { kind: 'none-yet', detail: 'Stash has only its placeholder for a cover yet' };
  }
  if (!isRaster(bytes)) return { kind: 'unfit', detail: 'the cover is no JPEG, PNG, WebP or GIF picture' };
  if (bytes.length > MAX_PICTURE_BYTES) {
    const size = (bytes.length / 1_000_000).toFixed(1);
    return {
      kind: 'unfit',
      detail: `the cover has ${size} MB and Plex takes 10 MB: set a smaller one in Stash`,
    };
  }
  return { kind: 'picture', bytes, sha1: createHash('sha1').update(bytes).digest('hex'), validator };
}

function isRaster(bytes: Buffer): boolean {
  const head = bytes.subarray(0, 12).toString('latin1');
  return (
    head.startsWith('\xff\xd8\xff') ||
    head.startsWith('\x89PNG\r\n\x1a\n') ||
    head.startsWith('GIF8') ||
    (head.startsWith('RIFF') && head.endsWith('WEBP'))
  );
}
