/**
 * How durable operations tell what they do. Every one of them runs inside `observed`, which publishes its start and its end on
 * diagnostics_channel, tells the logger, and writes the audit trail, where those were given.
 *
 *   diagnostics_channel 'dirfd:operation'   { phase: 'start' | 'done' | 'failed', … }, an OperationEvent; nothing is built when nobody listens
 *   logger                                  debug for start and done, error for failed
 *   audit                                   done and failed, before the caller hears of it
 */

import { randomUUID } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { getGlobalAuditTrail } from './global.js';

/** Any logger with these two methods: console, pino, winston, … */
export interface Logger {
  debug(message: string, details?: unknown): void;
  error(message: string, details?: unknown): void;
}

/** What an operation is about, and what came of it. JSON throughout. */
export interface OperationFacts {
  /** 'write', 'rotate', 'lock.break', 'transaction.commit', 'backup.create', … */
  readonly operation: string;
  /** By which path the directory was opened: for people. */
  readonly directory?: string | undefined;
  /** Relative to the directory. */
  readonly path?: string | undefined;
  readonly [detail: string]: unknown;
}

/** What is published on the channel `'dirfd:operation'`. */
export interface OperationEvent extends OperationFacts {
  readonly phase: 'start' | 'done' | 'failed';
  /** The same for the events of one operation. */
  readonly id: string;
  /** Milliseconds that it took; absent at the start. */
  readonly duration?: number;
  readonly error?: Error;
}

/** Where records of what was done are kept: an {@link AuditTrail}, or an object of the caller's. */
export interface AuditSink {
  /** Resolves when the record is safe. A sink that fails makes the operation's promise fail, though the operation itself may be done. */
  record(entry: AuditEntry): Promise<unknown>;
}

/** One line of an audit trail, before it is chained. JSON throughout. */
export interface AuditEntry extends OperationFacts {
  readonly id: string;
  /** ISO 8601, the end of the operation. */
  readonly time: string;
  readonly outcome: 'done' | 'failed';
  readonly duration: number;
  readonly error?: { readonly code?: string; readonly message: string };
}

/** Options that every durable operation takes. */
export interface ObservedOptions {
  /** Told of every operation. */
  readonly logger?: Logger | undefined;
  /** Keeps a record of every operation. Default: the trail that was given to `setGlobalAuditTrail`, if any. */
  readonly audit?: AuditSink | undefined;
}

const operations = channel('dirfd:operation');

/**
 * Runs one durable operation in the sight of channel, logger and audit trail.
 *
 * @param facts what is known at the start; what `work` adds by calling `note` stands in the end's event and in the audit trail
 */
export async function observed<T>(
  facts: OperationFacts,
  { logger, audit = getGlobalAuditTrail() }: ObservedOptions,
  work: (note: (more: Readonly<Record<string, unknown>>) => void) => Promise<T>,
): Promise<T> {
  if (!logger && !audit && !operations.hasSubscribers) return work(() => {});
  const id = randomUUID();
  const started = performance.now();
  let known: OperationFacts = facts;
  tell({ ...known, phase: 'start', id }, logger);
  const note = (more: Readonly<Record<string, unknown>>) => {
    known = { ...known, ...more };
  };
  let result: T;
  try {
    result = await work(note);
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const duration = performance.now() - started;
    tell({ ...known, phase: 'failed', id, duration, error }, logger);
    const { code } = error as NodeJS.ErrnoException;
    const told = { ...(code === undefined ? {} : { code }), message: error.message };
    // The operation's own failure is the one to hear of, whether or not it could be recorded.
    await audit?.record({ ...known, id, time: now(), outcome: 'failed', duration, error: told }).catch(() => {});
    throw thrown;
  }
  const duration = performance.now() - started;
  tell({ ...known, phase: 'done', id, duration }, logger);
  await audit?.record({ ...known, id, time: now(), outcome: 'done', duration });
  return result;
}

function tell(event: OperationEvent, logger: Logger | undefined): void {
  operations.publish(event);
  const text = `dirfd ${event.operation} ${event.phase}${event.path === undefined ? '' : `: ${event.path}`}`;
  if (event.phase === 'failed') logger?.error(text, event);
  else logger?.debug(text, event);
}

function now(): string {
  return new Date().toISOString();
}
