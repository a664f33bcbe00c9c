/** Content that was made elsewhere, checked before it is written as it is. */

import { decodeText, parseJson, parseYaml } from './content.js';
import type { Format } from './read.js';
import { type JsonSchema, requireValid } from './schema.js';

/**
 * Checks that bytes are UTF-8 text of one JSON or YAML document, and that it matches the schema.
 *
 * @returns the data
 * @throws ContentError which says where it is not
 */
export async function checkContent(content: Uint8Array, format: Format, schema?: JsonSchema): Promise<unknown> {
  const subject = { verb: 'checkContent' };
  const text = decodeText(Buffer.from(content.buffer, content.byteOffset, content.length), 'utf-8', subject);
  const data = format === 'yaml' ? await parseYaml(text, subject) : parseJson(text, subject);
  if (schema !== undefined) await requireValid(data, schema, subject);
  return data;
}
