// The pictures Stash serves: a small real PNG where there is a cover, Stash's SVG placeholder where there
// is none yet. A made cover's colour follows its seed, so a test can tell one scene's from another's.
import { crc32, deflateSync } from 'node:zlib';

export interface Picture {
  readonly type: string;
  readonly bytes: Buffer;
}

const WIDTH = 64;
const HEIGHT = 36;
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export const PLACEHOLDER: Picture = {
  type: 'image/svg+xml',
  bytes: Buffer.from(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360"><rect width="640" height="360" fill="#30404d"/>' +
      '<path d="M280 130v100l90-50z" fill="#5c7080"/></svg>',
  ),
};

/** A one-colour image, drawn only when it is asked for: a library may have a hundred thousand. */
export function makePng(seed: number): Picture {
  return {
    type: 'image/png',
    get bytes() {
      return drawPng(seed);
    },
  };
}

function drawPng(seed: number): Buffer {
  const colour = [(seed * 67 + 40) % 256, (seed * 131 + 90) % 256, (seed * 29 + 160) % 256];
  const row = Buffer.alloc(1 + WIDTH * 3);
  for (let x = 0; x < WIDTH; x += 1) row.set(colour, 1 + x * 3);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(WIDTH, 0);
  head.writeUInt32BE(HEIGHT, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.concat(Array.from({ length: HEIGHT }, () => row)));
  const parts = [PNG_SIGNATURE, chunk('IHDR', head), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat(parts);
}

/** A cover given as `data:image/png;base64,...`; an address is not fetched and gives nothing. */
export function pictureOfDataUrl(text: string): Picture | undefined {
  const found = /^data:([\w/+.-]+);base64,(.*)$/s.exec(text);
  if (found === null) return undefined;
  return { type: found[1]!, bytes: Buffer.from(found[2]!, 'base64') };
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length, 0);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body), 0);
  return Buffer.concat([length, body, sum]);
}
