/** The option `engine` of walks and copies, checked. */

import { type ErrorSubject, ownError } from '../errors.js';
import { defaultEngine, ENGINES, type Engine, whyNoRing } from '../native/engine.js';

/** @throws FsError ERR_DIRFD_UNSUPPORTED for `'io_uring'` where there is none */
export function settleEngine(engine: Engine = defaultEngine(), subject: ErrorSubject): Engine {
  if (!ENGINES.includes(engine)) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', `unknown engine '${engine}'; there are ${ENGINES}`, subject);
  }
  const why = engine === 'io_uring' ? whyNoRing() : undefined;
  if (why !== undefined) throw ownError('ERR_DIRFD_UNSUPPORTED', `engine io_uring: ${why}`, subject);
  return engine;
}
