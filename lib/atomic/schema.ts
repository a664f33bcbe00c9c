/** JSON Schema, by ajv with formats; both are loaded when a schema is first used. */

import type { ErrorObject, ValidateFunction } from 'ajv';
import { type ErrorSubject, ownError } from '../errors.js';
import { ContentError, type ContentIssue, operationError } from '../operation-errors.js';

/** A JSON Schema: an object, or true and false. */
export type JsonSchema = Readonly<Record<string, unknown>> | boolean;

const compiled = new WeakMap<object, Promise<ValidateFunction>>();

/**
 * @throws ContentError which names the JSON pointer of each complaint
 * @throws FsError ERR_DIRFD_INVALID_ARGUMENT for a schema that is none
 */
export async function requireValid(data: unknown, schema: JsonSchema, subject: ErrorSubject): Promise<void> {
  const validate = await compile(schema, subject);
  if (validate(data)) return;
  const issues = (validate.errors ?? []).map(toIssue);
  const [first] = issues;
  const where = first?.pointer === '' ? 'the document' : `'${first?.pointer}'`;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : '';
  const why = `${where} ${first?.message ?? 'does not match the schema'}${more}`;
  throw operationError(ContentError, 'ERR_DIRFD_INVALID_CONTENT', why, subject, undefined, issues);
}

function toIssue({ instancePath, message, params }: ErrorObject): ContentIssue {
  // 'must NOT have additional properties' says little without their name.
  const { additionalProperty } = params as { additionalProperty?: string };
  const detail = additionalProperty === undefined ? '' : `: '${additionalProperty}'`;
  return { pointer: instancePath, message: `${message ?? 'does not match the schema'}${detail}` };
}

async function compile(schema: JsonSchema, subject: ErrorSubject): Promise<ValidateFunction> {
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null)) {
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', 'the schema must be an object', subject);
  }
  const known = typeof schema === 'object' ? compiled.get(schema) : undefined;
  const made = known ?? compileAnew(schema);
  if (typeof schema === 'object') compiled.set(schema, made);
  try {
    return await made;
  } catch (error) {
    const why = `the schema is not a JSON Schema: ${(error as Error).message}`;
    throw ownError('ERR_DIRFD_INVALID_ARGUMENT', why, subject, error);
  }
}

async function compileAnew(schema: JsonSchema): Promise<ValidateFunction> {
  const dialect = typeof schema === 'object' ? String(schema.$schema ?? '') : '';
  const options = { allErrors: true, strict: false };
  const ajv = dialect.includes('2020-12')
    ? new (await import('ajv/dist/2020.js')).Ajv2020(options)
    : dialect.includes('2019-09')
      ? new (await import('ajv/dist/2019.js')).Ajv2019(options)
      : new (await import('ajv')).Ajv(options);
  const formats = await import('ajv-formats');
  formats.default.default(ajv);
  return ajv.compile(schema as object);
}
