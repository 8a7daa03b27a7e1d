// Posters and backgrounds: uploads keyed by their sha1, the selected one, and the bytes behind thumb and art paths.
// The same bytes uploaded twice are one upload; selecting always moves the stamp in the path, as on the real server.
import { createHash } from 'node:crypto';
import { get } from 'node:http';
import { type Answer, errorPage, node } from './answer.ts';
import { container, libraryIdentifier } from './elements.ts';
import type { ImageKind, PlexEntry } from './entries.ts';
import type { PlexLibrary } from './library.ts';

/** Above this Plex answers 500 (facts, section 7). */
export const maxImageBytes = 10 * 1024 * 1024;
const fetchTimeoutMs = 10_000;

const uploadPrefixes: Record<ImageKind, string> = { thumb: 'upload://posters/', art: 'upload://art/' };

export function imageListAnswer(entry: PlexEntry, kind: ImageKind): Answer {
  const shelf = entry.images[kind];
  const photos = shelf.uploads.map(({ ratingKey }) => {
    const path = `/library/metadata/${entry.ratingKey}/file?url=${encodeURIComponent(ratingKey)}`;
    const attributes = { key: path, ratingKey, selected: ratingKey === shelf.selected, thumb: path };
    return node({ element: 'Photo', member: 'Metadata' }, attributes);
  });
  const about = { identifier: libraryIdentifier, mediaTagPrefix: '/system/bundle/media/flags/' };
  return { kind: 'tree', root: container(about, photos) };
}

/** Keeps the bytes and selects them. */
export function uploadImage(library: PlexLibrary, entry: PlexEntry, kind: ImageKind, body: Buffer): void {
  const ratingKey = `${uploadPrefixes[kind]}${createHash('sha1').update(body).digest('hex')}`;
  const shelf = entry.images[kind];
  if (!shelf.uploads.some((known) => known.ratingKey === ratingKey)) {
    shelf.uploads.push({ ratingKey, contentType: contentTypeOf(body), body });
  }
  selectImage(library, entry, kind, ratingKey);
}

export function hasImage(entry: PlexEntry, kind: ImageKind, ratingKey: string): boolean {
  return entry.images[kind].uploads.some((known) => known.ratingKey === ratingKey);
}

export function selectImage(
  library: PlexLibrary,
  entry: PlexEntry,
  kind: ImageKind,
  ratingKey: string,
): void {
  const shelf = entry.images[kind];
  shelf.selected = ratingKey;
  shelf.stampS = Math.max(shelf.stampS + 1, library.nowS());
  if (library.quirks.isEditLocking) entry.locked.add(kind);
  library.noteChange(entry);
}

/** The bytes behind `thumb` and `art`; the number at the end of the path is only there to defeat caches. */
export function selectedImageAnswer(entry: PlexEntry, kind: ImageKind): Answer {
  return imageAnswer(entry, entry.images[kind].selected);
}

export function imageAnswer(entry: PlexEntry, ratingKey: string): Answer {
  const uploads = [...entry.images.thumb.uploads, ...entry.images.art.uploads];
  const image = uploads.find((known) => known.ratingKey === ratingKey);
  if (image === undefined) return errorPage(404, 'Not Found');
  return { kind: 'bytes', contentType: image.contentType, body: image.body };
}

/** `?url=`: Plex fetches the image itself. Resolves to 'failed' for anything but a 200 of allowed size. */
export function fetchImage(url: string): Promise<Buffer | 'failed'> {
  return new Promise((resolve) => {
    const failed = (): void => resolve('failed');
    if (!url.startsWith('http://')) return failed(); // the simulator speaks no TLS
    const request = get(url, { timeout: fetchTimeoutMs, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let totalBytes = 0;
      response.on('data', (chunk: Buffer) => {
        totalBytes += chunk.length;
        if (totalBytes > maxImageBytes) request.destroy();
        else chunks.push(chunk);
      });
      response.on('end', () => (response.statusCode === 200 ? resolve(Buffer.concat(chunks)) : failed()));
      response.on('error', failed);
      response.on('close', failed);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', failed);
  });
}

function contentTypeOf(body: Buffer): string {
  if (body.subarray(0, 4).toString('latin1') === '\x89PNG') return 'image/png';
  if (body.subarray(8, 12).toString('latin1') === 'WEBP') return 'image/webp';
  return 'image/jpeg';
}
