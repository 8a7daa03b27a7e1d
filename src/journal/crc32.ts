// CRC-32 (IEEE, reflected: the one of zlib and gzip) over a string's UTF-8 bytes.
// Ours only because `node:zlib` costs a hook 7 % of its life to load; a test compares it with zlib's.
// Eight bytes at a time: a replay checks every line of a long log, and one byte at a time was a tenth of it. And by
// few bytecodes for each: after some 13 kB V8 sends the loop to its compiler, which cost short runs on a busy machine
// milliseconds. A tail of 32 records is just below that.

/** `TABLES[n * 256 + byte]`: what `byte` does to the checksum with `n` bytes behind it. */
const TABLES = makeTables();

/** Bytes are looked at in here, where they are words as well. */
const BLOCK = new Uint8Array(4096);
const WORDS = new Int32Array(BLOCK.buffer);
/** Where the first byte of a word is not its lowest, all goes byte by byte. */
const HAS_LOW_FIRST = new Uint8Array(Int32Array.of(1).buffer)[0] === 1;

/** The checksum as an unsigned 32-bit number. */
export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (let at = 0; at < bytes.length; at += BLOCK.length) {
    const isWhole = bytes.length <= BLOCK.length;
    crc = withBlock(crc, isWhole ? bytes : bytes.subarray(at, at + BLOCK.length));
  }
  return ~crc >>> 0;
}

function withBlock(before: number, bytes: Uint8Array): number {
  const tables = TABLES;
  const words = HAS_LOW_FIRST ? (bytes.length >> 3) << 1 : 0;
  BLOCK.set(bytes);
  let crc = before;
  let i = 0;
  while (i < words) {
    crc ^= WORDS[i++]!;
    const next = WORDS[i++]!;
    crc =
      tables[1792 | (crc & 255)]! ^
      tables[1536 | ((crc >>> 8) & 255)]! ^
      tables[1280 | ((crc >>> 16) & 255)]! ^
      tables[1024 | (crc >>> 24)]! ^
      tables[768 | (next & 255)]! ^
      tables[512 | ((next >>> 8) & 255)]! ^
      tables[256 | ((next >>> 16) & 255)]! ^
      tables[next >>> 24]!;
  }
  for (i *= 4; i < bytes.length; i++) crc = (crc >>> 8) ^ tables[(crc ^ BLOCK[i]!) & 255]!;
  return crc;
}

/** The checksum is linear: an entry is made of those for the bits of its byte. */
function makeTables(): Int32Array {
  const tables = new Int32Array(8 * 256);
  let crc = 1;
  for (let bit = 128; bit > 0; bit >>= 1) {
    crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    for (let at = 0; at < 256; at += 2 * bit) tables[at + bit] = crc ^ tables[at]!;
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256]!;
    tables[at] = (before >>> 8) ^ tables[before & 255]!;
  }
  return tables;
}
