/** Events of jobs as plain values for `--json`. */

import type { FsError } from '../index.js';

interface TreeEvent {
  readonly type: string;
  readonly path: string;
  readonly pathBytes: Buffer;
  readonly error?: FsError;
}

/** Without classes; the path's bytes in base64 where it is not UTF-8, and nowhere else. */
export function plainEvent({ pathBytes, error, ...event }: TreeEvent): unknown {
  const bytes = Buffer.from(event.path).equals(pathBytes) ? {} : { pathBytes: pathBytes.toString('base64') };
  if (error === undefined) return { ...event, ...bytes };
  const { code, syscall, message, directory } = error;
  return { ...event, ...bytes, code, syscall, directory, message };
}

/** A path on its own, in the same form. */
export function plainPath(bytes: Buffer): { readonly path: string; readonly pathBytes?: string } {
  const path = bytes.toString('utf8');
  return Buffer.from(path).equals(bytes) ? { path } : { path, pathBytes: bytes.toString('base64') };
}
