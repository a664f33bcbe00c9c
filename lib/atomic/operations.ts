/** The operations on configuration files under one roof, with a record of each: a face of write.ts, update.ts, merge.ts and rotate.ts. */

import { randomUUID } from 'node:crypto';
import { getGlobalAuditTrail } from '../audit/global.js';
import { type AuditEntry, type AuditSink, observed } from '../audit/observe.js';
import { type AuditSummaryRow, AuditTally, formatAuditSummary } from '../audit/summary.js';
import type { DirectoryFd } from '../dirfd/directory-fd.js';
import { toSink } from './audit-file.js';
import { cleanupBackups } from './backup-copy.js';
import { lettingGo } from './let-go.js';
import { type MergeOptions, type MergeStrategy, mergeConfig } from './merge.js';
import type { AtomicWriteOptions } from './options.js';
import { formatOf } from './read.js';
import type { AtomicWriteResult } from './replace.js';
import { type RotateOptions, type RotateResult, rotate } from './rotate.js';
import type { JsonSchema } from './schema.js';
import { type AtomicTarget, holdPatiently } from './target.js';
import { type UpdateOptions, updateJson } from './update.js';
import { writeJson, writeYaml } from './write.js';

/** Writes data as JSON or YAML, by the name's end, after a check by the schema. */
export async function writeConfigAtomically(
  target: AtomicTarget,
  data: unknown,
  schema?: JsonSchema,
  options: AtomicWriteOptions = {},
): Promise<AtomicWriteResult> {
  const how = { audit: getGlobalAuditTrail(), ...options, ...(schema === undefined ? {} : { schema }) };
  const held = await holdPatiently(target, 'write', how);
  const write = formatOf(held.path) === 'yaml' ? writeYaml : writeJson;
  const { directory, path } = held;
  return await lettingGo([held], held.subject, () => write({ directory, path }, data, how));
}

/** {@link rotate}, the number of files first. */
export function safeFileRotation(
  target: AtomicTarget,
  maxFiles = 5,
  options: Omit<RotateOptions, 'maxFiles'> = {},
): Promise<RotateResult> {
  return rotate(target, { audit: getGlobalAuditTrail(), ...options, maxFiles });
}

/** Operations that are counted, and recorded where there is an audit trail. */
export class AtomicFileOperations {
  readonly #trail: AuditSink | undefined;
  readonly #tally = new AuditTally();

  /** @param auditFile the path of an {@link AuditTrail}, or any sink; by default the global one, if there is one */
  constructor(auditFile?: AuditSink | AtomicTarget) {
    this.#trail = auditFile === undefined ? undefined : toSink(auditFile);
  }

  /** See {@link updateJson}. */
  atomicJsonUpdate<T = unknown>(
    target: AtomicTarget,
    change: (data: T | undefined) => T | undefined | Promise<T | undefined>,
    options: UpdateOptions = {},
  ): Promise<AtomicWriteResult> {
    return updateJson(target, change, { ...options, audit: this.#sink() });
  }

  /** See {@link mergeConfig}. */
  atomicConfigMerge(
    files: readonly AtomicTarget[],
    output: AtomicTarget,
    strategy: MergeStrategy = 'deep',
    options: Omit<MergeOptions, 'strategy'> = {},
  ): Promise<AtomicWriteResult> {
    return mergeConfig(files, output, { ...options, strategy, audit: this.#sink() });
  }

  /** See {@link cleanupBackups}. */
  cleanupBackups(directory: DirectoryFd | string, maxAgeHours = 24): Promise<string[]> {
    return cleanupBackups(directory, maxAgeHours, { audit: this.#sink() });
  }

  /**
   * The same operations, their records marked with the batch's name and number; a record of its own ends it. They are not one step: for all
   * or nothing over several files there are transactions.
   */
  batchOperation(name: string): BatchOperation {
    return new BatchOperation(name, this.#sink());
  }

  /** What was done so far through this object, as `summarizeAuditTrail` tells of a whole trail. */
  auditSummary(): readonly AuditSummaryRow[] {
    return this.#tally.rows;
  }

  /** Prints {@link auditSummary}, as `dirfd audit summary` does. */
  displayAuditSummary(): void {
    process.stdout.write(formatAuditSummary(this.auditSummary()));
  }

  #sink(): AuditSink {
    return { record: (entry) => this.#record(entry) };
  }

  async #record(entry: AuditEntry): Promise<void> {
    this.#tally.add(entry);
    await (this.#trail ?? getGlobalAuditTrail())?.record(entry);
  }
}

/** See {@link AtomicFileOperations.batchOperation}. */
export class BatchOperation extends AtomicFileOperations implements AsyncDisposable {
  readonly #name: string;
  readonly #id: string;
  readonly #above: AuditSink;
  #ended = false;

  /** @internal */
  constructor(name: string, above: AuditSink) {
    const id = randomUUID();
    super({ record: (entry) => above.record({ ...entry, batch: name, batchId: id }) });
    this.#name = name;
    this.#id = id;
    this.#above = above;
  }

  /** Records the batch's end, once. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const sums = this.auditSummary();
    const count = (which: 'done' | 'failed') => sums.reduce((sum, line) => sum + line[which], 0);
    const facts = {
      operation: 'batch',
      batch: this.#name,
      batchId: this.#id,
      done: count('done'),
      failed: count('failed'),
    };
    await observed(facts, { audit: this.#above }, async () => {});
  }

  /** {@link end}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }
}
