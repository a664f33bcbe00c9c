/** Messages for people, on standard error: one line each, beginning with who says it. */

import { EXIT, type ExitCode } from './exit-code.js';
import { printable } from './terminal.js';

/** A failure that needs no more than its own words: no stack, no code. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** Set by --debug and by DIRFD_DEBUG: errors are followed by their stack. */
let debug = Boolean(process.env.DIRFD_DEBUG);
export function enableDebug(): void {
  debug = true;
}

/** Writes below the progress bar, if one is shown: see progress.ts. */
let write = (text: string): void => void process.stderr.write(text);
export function redirectMessages(to: (text: string) => void): () => void {
  const before = write;
  write = to;
  return () => {
    write = before;
  };
}

export function say(text: string): void {
  write(`${text}\n`);
}

/** `dirfd copy: ENOENT: no such file or directory, openat2 'SRC'` */
export function complain(command: string, error: unknown): void {
  say(`${command}: ${describe(error)}`);
}

/** An error as one line; its stack, and those of its causes, below it where asked for. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  // FsError's own text is escaped already, and holds backslashes that must not be doubled.
  const text = 'code' in error || error instanceof CommandError ? oneLine(error.message) : unexpected(error);
  return debug ? `${text}\n${withCauses(error)}` : text;
}

function unexpected(error: Error): string {
  const advice = debug ? '' : ' (this is a fault in dirfd: run again with --debug and report what it prints)';
  return `${error.name}: ${printable(error.message)}${advice}`;
}

function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be printed
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

function withCauses(error: Error): string {
  const stack = error.stack ?? error.message;
  return error.cause instanceof Error ? `${stack}\ncaused by ${withCauses(error.cause)}` : stack;
}
