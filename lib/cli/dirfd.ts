#!/usr/bin/env node
/**
 * The `dirfd` command. What lies here:
 *
 *   dirfd.ts        from the arguments to the exit code
 *   program.ts      the commands by name, each loaded only when it is asked for
 *   doctor.ts …     one file a command: its options, its help, what it does
 *   completion.ts   `dirfd complete`: scripts for bash, zsh and fish, made from the same option tables
 *
 *   output.ts       standard output: text and JSON lines, large chunks, back-pressure
 *   messages.ts     standard error: one line a message
 *   terminal.ts     what a terminal may be shown
 *   interrupt.ts    signals → AbortSignal
 *   arguments.ts    values of options, checked; paths as bytes
 *   units.ts        sizes, counts and times for people
 *   exit-code.ts
 */

import { CommandError, complain } from './messages.js';
import { runProgram, version } from './program.js';

const args = process.argv.slice(2);

// A reader that has gone (`dirfd --help | head -3`) is no error; whose output matters asks output.ts.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = 1;
  });
}

// Answered before anything else is loaded: scripts ask it often.
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) {
  console.log(version());
} else {
  try {
    await runProgram(args);
  } catch (error) {
    const command = args.find((argument) => !argument.startsWith('-'));
    complain(command === undefined ? 'dirfd' : `dirfd ${command}`, error);
    process.exitCode = error instanceof CommandError ? error.exitCode : 1;
  }
}
