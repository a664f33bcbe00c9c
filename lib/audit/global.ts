/** The trail of the whole process: where operations record that were given none of their own. */

import type { AuditSink } from './observe.js';

let global: AuditSink | undefined;

/** From now on; undefined ends it. Whoever opened the trail closes it. */
export function setGlobalAuditTrail(trail: AuditSink | undefined): void {
  global = trail;
}

export function getGlobalAuditTrail(): AuditSink | undefined {
  return global;
}
