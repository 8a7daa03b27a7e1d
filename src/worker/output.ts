// Where what a command says goes: the standard output, or the file that a person named. What could not be written is an
// error, or a script would take an empty file for an answer; a reader that has gone is none, as at any shell.

import * as fs from 'node:fs';
import { resolve } from 'node:path';
import { replaceFile } from '../breaker/index.ts';
import { writeWhole } from '../invocation/stash-log.ts';

const STDOUT = 1;
/** Between two tries to write to a reader who is slow, in ms: a pager may be looked at for an hour. */
const BUSY_MS = 10;
/** Nobody waits for the other end of a pipe. Not known everywhere. */
const WRITE_THROUGH = fs.constants.O_WRONLY | (fs.constants.O_NONBLOCK ?? 0) | (fs.constants.O_NOCTTY ?? 0);

/** Throws where it cannot be written, but for a reader that has gone. */
export function printOut(text: string): void {
  writeTo(STDOUT, text, 'the standard output');
}

/** To a file of that name, or to the standard output. */
export function writeOut(text: string, file: string | undefined, mode = 0o600): void {
  if (file === undefined) printOut(text);
  else saveFile(file, text, mode);
}

/**
 * A file is replaced whole, wherever a link leads to it. What is no file (a device, a pipe) is written through and stays
 * what it is.
 */
export function saveFile(file: string, text: string, mode: number): void {
  try {
    put(resolve(file), text, mode);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`cannot write to ${file}: ${code === 'ENXIO' ? 'nobody reads from it' : message}`);
  }
}

function put(path: string, text: string, mode: number): void {
  const there = fs.lstatSync(path, { throwIfNoEntry: false });
  // Also what a link leads to; one that leads nowhere is an error.
  const target = there?.isSymbolicLink() ? fs.statSync(path) : there;
  if (target === undefined) replaceFile(path, text, mode);
  else if (target !== there && isStdout(target)) printOut(text);
  else if (target.isFile()) replaceFile(fs.realpathSync(path), text, mode);
  else if (target.isCharacterDevice() || target.isFIFO()) writeThrough(path, text);
  else throw new Error(target.isDirectory() ? 'it is a folder' : 'it is neither a file nor a pipe');
}

/** `/dev/stdout` and its like: what the shell has opened may be in use by others, and is not opened anew. */
function isStdout({ dev, ino }: fs.Stats): boolean {
  const stdout = fs.fstatSync(STDOUT);
  return stdout.dev === dev && stdout.ino === ino;
}

function writeThrough(path: string, text: string): void {
  const fd = fs.openSync(path, WRITE_THROUGH);
  try {
    writeTo(fd, text, path);
  } finally {
    fs.closeSync(fd);
  }
}

function writeTo(fd: number, text: string, name: string): void {
  try {
    writeWhole(
      fd,
      text,
      () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS) !== 'ok',
    );
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'EPIPE') throw new Error(`${name} could not be written: ${message}`);
  }
}
