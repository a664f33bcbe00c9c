/** An audit trail by its path, for those who have nobody to close it: it is open as long as records are on their way. */

import { setGlobalAuditTrail as setGlobalSink } from '../audit/global.js';
import type { AuditEntry, AuditSink } from '../audit/observe.js';
import { AuditTrail } from '../audit/trail.js';
import { type AtomicTarget, holdTarget, pin } from './target.js';

/** Records that come together share the open trail, and with it one write. */
class AuditFile implements AuditSink {
  readonly #target: AtomicTarget;
  #open: Promise<AuditTrail> | undefined;
  #onTheirWay = 0;

  constructor(target: AtomicTarget) {
    this.#target = absolute(target);
  }

  async record(entry: AuditEntry): Promise<void> {
    this.#onTheirWay++;
    this.#open ??= this.#openTrail();
    const open = this.#open;
    try {
      await (await open).record(entry);
    } finally {
      this.#onTheirWay--;
      if (this.#onTheirWay === 0) {
        this.#open = undefined;
        await (await open.catch(() => undefined))?.close();
      }
    }
  }

  async #openTrail(): Promise<AuditTrail> {
    await using given = await holdTarget(this.#target, 'audit');
    await using held = await pin(given, false);
    return await AuditTrail.open(held.directory, Buffer.from(held.path).toString('utf8'));
  }
}

/** The same file wherever the process goes: it is opened again and again. */
function absolute(target: AtomicTarget): AtomicTarget {
  if (typeof target !== 'string' && !(target instanceof Uint8Array)) return target;
  const isAbsolute = typeof target === 'string' ? target.startsWith('/') : target[0] === '/'.charCodeAt(0);
  if (isAbsolute) return target;
  const above = `${process.cwd()}/`;
  return typeof target === 'string' ? above + target : Buffer.concat([Buffer.from(above), target]);
}

/**
 * Where {@link AtomicFileOperations}, writeConfigAtomically and safeFileRotation keep their records, unless they are given another place; in
 * this thread. A path: the {@link AuditTrail} of that name. Undefined: nowhere.
 */
export function setGlobalAuditTrail(trail: AuditSink | AtomicTarget | undefined): void {
  setGlobalSink(trail === undefined ? undefined : toSink(trail));
}

/** A sink as it is, a path as the trail of that name. */
export function toSink(trail: AuditSink | AtomicTarget): AuditSink {
  return typeof trail === 'object' && 'record' in trail ? trail : new AuditFile(trail);
}
