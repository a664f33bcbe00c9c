/**
 * SIGINT, SIGTERM and SIGHUP end the work in hand through an AbortSignal, so that no half-written file stays and the summary is still
 * printed. Who asks twice, or whose work does not stop in time, is obeyed at once.
 */

import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Milliseconds between the signal and the end, whatever the work is doing: a read from a dead network disk cannot be stopped. */
const PATIENCE = 900;

export interface Interruptible extends Disposable {
  readonly signal: AbortSignal;
  /** 130 for SIGINT, 143 for SIGTERM; undefined while nobody asked. */
  readonly exitCode: number | undefined;
}

export function interruptible(): Interruptible {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    if (exitCode !== undefined) process.exit(exitCode);
    exitCode = 128 + constants.signals[name];
    controller.abort();
    setTimeout(() => process.exit(exitCode), PATIENCE).unref();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    [Symbol.dispose]() {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
