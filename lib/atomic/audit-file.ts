/** The simplest audit sink: a file, a line of JSON for each record, on the device before the operation is reported as done. */

import { setGlobalAuditTrail as setGlobalSink } from '../audit/global.js';
import type { AuditEntry, AuditSink } from '../audit/observe.js';
import { type AtomicTarget, holdTarget } from './target.js';

export class AuditLines implements AuditSink {
  readonly #target: AtomicTarget;

  constructor(target: AtomicTarget) {
    this.#target = target;
  }

  async record(entry: AuditEntry): Promise<void> {
    await using held = await holdTarget(this.#target, 'audit');
    // One write to a file opened with O_APPEND: lines of several processes do not mix.
    await held.directory.appendFile(held.path, `${JSON.stringify(entry)}\n`, { flush: true, mode: 0o600 });
  }
}

/**
 * Where {@link AtomicFileOperations}, writeConfigAtomically and safeFileRotation keep their records, unless they are given another place; in
 * this thread. A path: a file of JSON lines. Undefined: nowhere.
 */
export function setGlobalAuditTrail(trail: AuditSink | AtomicTarget | undefined): void {
  setGlobalSink(trail === undefined ? undefined : toSink(trail));
}

/** A sink as it is, a path as a file of lines. */
export function toSink(trail: AuditSink | AtomicTarget): AuditSink {
  return typeof trail === 'object' && 'record' in trail ? trail : new AuditLines(trail);
}
