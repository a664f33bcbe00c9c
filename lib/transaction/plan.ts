/**
 * A transaction as a document, JSON or YAML:
 *
 *   {"operations": [{"write": {"path": "a", "text": "…"}}, {"move": {"from": "b", "to": "c"}}, {"delete": {"path": "d"}}]}
 *
 * It is checked against the schema below; complaints name the JSON pointer. A path is text, or `{"root": "NAME", "path": …}`, or for names that are
 * not UTF-8 `{"bytes": "BASE64"}`.
 */

import { type JsonSchema, requireValid } from '../atomic/schema.js';
import { ContentError, operationError } from '../operation-errors.js';

import type { TransactionPath } from './options.js';
import type { FileTransaction } from './transaction.js';

/** Text; with the name of a root where there are several; `bytes` in base64 where it is not UTF-8. */
export type PlanPath = string | { readonly root?: string; readonly path?: string; readonly bytes?: string };

/** What a copy or a move goes by. */
export interface PlanTransfer {
  readonly from: PlanPath;
  readonly to: PlanPath;
  readonly replace?: boolean;
}

/** Exactly one of these. */
export interface PlanOperation {
  readonly write?: {
    readonly path: PlanPath;
    readonly text?: string;
    /** Bytes. */
    readonly base64?: string;
    readonly json?: unknown;
    readonly yaml?: unknown;
    readonly schema?: JsonSchema;
    readonly mode?: string | number;
    readonly createOnly?: boolean;
    readonly parents?: boolean;
  };
  readonly mkdir?: { readonly path: PlanPath; readonly mode?: string | number; readonly recursive?: boolean };
  readonly symlink?: { readonly target: string; readonly path: PlanPath };
  readonly copy?: PlanTransfer;
  readonly move?: PlanTransfer;
  readonly delete?: { readonly path: PlanPath; readonly force?: boolean };
  readonly chmod?: { readonly path: PlanPath; readonly mode: string | number };
}

export interface Plan {
  readonly operations: readonly PlanOperation[];
}

/**
 * The text of a plan, JSON or YAML, as a plan.
 *
 * @throws ContentError
 */
export async function parsePlan(text: string): Promise<Plan> {
  const { parse } = await import('yaml');
  let plan: unknown;
  try {
    // JSON is YAML but for a few corners, which JSON.parse takes as they are meant.
    plan = /^\s*\{/.test(text) ? JSON.parse(text) : parse(text);
  } catch (error) {
    const why = `the plan is neither JSON nor YAML: ${(error as Error).message.split('\n')[0]}`;
    throw operationError(ContentError, 'ERR_DIRFD_INVALID_CONTENT', why, { verb: 'plan' }, error);
  }
  await requireValid(plan, PLAN_SCHEMA, { verb: 'plan' });
  return plan as Plan;
}

/** Operations that are under way together; the transaction sees to their order. */
const AT_ONCE = 64;

/** Adds the operations of a plan, in their order. Nothing is changed before `transaction.commit()`. */
export async function addPlan(transaction: FileTransaction, plan: Plan): Promise<void> {
  const adding = new Set<Promise<void>>();
  for (const operation of plan.operations) {
    const added: Promise<void> = addOperation(transaction, operation).finally(() => adding.delete(added));
    adding.add(added);
    if (adding.size >= AT_ONCE) await Promise.race(adding);
  }
  await Promise.all(adding);
}

async function addOperation(
  transaction: FileTransaction,
  { write, mkdir, symlink, copy, move, delete: remove, chmod }: PlanOperation,
): Promise<void> {
  if (write) {
    const { path, text, base64, json, yaml, ...options } = write;
    const at = toPath(path);
    if ('json' in write) await transaction.writeJson(at, json, options);
    else if ('yaml' in write) await transaction.writeYaml(at, yaml, options);
    else await transaction.write(at, text ?? Buffer.from(base64 ?? '', 'base64'), options);
  }
  if (mkdir) await transaction.mkdir(toPath(mkdir.path), mkdir);
  if (symlink) await transaction.symlink(symlink.target, toPath(symlink.path));
  if (copy) await transaction.copy(toPath(copy.from), toPath(copy.to), copy);
  if (move) await transaction.move(toPath(move.from), toPath(move.to), move);
  if (remove) await transaction.delete(toPath(remove.path), remove);
  if (chmod) await transaction.chmod(toPath(chmod.path), chmod.mode);
}

function toPath(at: PlanPath): TransactionPath {
  if (typeof at === 'string') return at;
  const path = at.bytes === undefined ? (at.path as string) : Buffer.from(at.bytes, 'base64');
  return at.root === undefined ? path : { root: at.root, path };
}

const path: JsonSchema = {
  anyOf: [
    { type: 'string' },
    {
      type: 'object',
      properties: { root: { type: 'string' }, path: { type: 'string' }, bytes: { type: 'string' } },
      oneOf: [{ required: ['path'] }, { required: ['bytes'] }],
      additionalProperties: false,
    },
  ],
};
const mode: JsonSchema = {
  anyOf: [
    { type: 'string', pattern: '^[0-7]{1,4}$' },
    { type: 'integer', minimum: 0, maximum: 0o7777 },
  ],
};
const flag: JsonSchema = { type: 'boolean' };

function operation(properties: Record<string, JsonSchema>, required: readonly string[], more: object = {}): JsonSchema {
  return { type: 'object', properties, required, additionalProperties: false, ...more };
}
const between = operation({ from: path, to: path, replace: flag }, ['from', 'to']);

const OPERATIONS: Readonly<Record<string, JsonSchema>> = {
  write: operation(
    {
      ...{ path, mode, createOnly: flag, parents: flag },
      ...{ text: { type: 'string' }, base64: { type: 'string' }, json: true, yaml: true, schema: true },
    },
    ['path'],
    { oneOf: ['text', 'base64', 'json', 'yaml'].map((content) => ({ required: [content] })) },
  ),
  mkdir: operation({ path, mode, recursive: flag }, ['path']),
  symlink: operation({ target: { type: 'string', minLength: 1 }, path }, ['target', 'path']),
  copy: between,
  move: between,
  delete: operation({ path, force: flag }, ['path']),
  chmod: operation({ path, mode }, ['path', 'mode']),
};

/** JSON Schema of a plan. */
export const PLAN_SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    operations: {
      type: 'array',
      items: {
        type: 'object',
        properties: OPERATIONS,
        minProperties: 1,
        maxProperties: 1,
        additionalProperties: false,
      },
    },
  },
  required: ['operations'],
  additionalProperties: false,
};
