/** What `dirfd walk` prints of an entry. Runs once an entry, a million times: text where names are text, bytes only where they must be. */

import type { Entry, Stat } from '../index.js';
import { longFormat } from './long-format.js';
import type { Output } from './output.js';
import { printable, printableBytes } from './terminal.js';

export interface LineOptions {
  readonly null?: true;
  readonly long?: true;
  readonly stat?: true;
  readonly json?: true;
  readonly prefix?: true;
}

type Written = Promise<void> | undefined;

export function lineWriter(output: Output, root: string | Buffer, options: LineOptions): (entry: Entry) => Written {
  const end = options.null ? '\0' : '\n';
  if (options.json) return (entry) => output.write(jsonText(entry) + end);

  // Bytes of a name go to a file or a program as they are; to a terminal nothing goes that it would take for a command.
  const escaping = output.isTTY && !options.null;
  const before = options.prefix ? prefixOf(root) : Buffer.alloc(0);
  const beforeText = escaping ? printableBytes(before) : before.toString('utf8');
  const isText = escaping || Buffer.from(beforeText).equals(before);

  const path = (entry: Entry, tail: string): Written => {
    const text = entry.path;
    if (isText && !text.includes('\ufffd'))
      return output.write(beforeText + (escaping ? printable(text) : text) + tail);
    if (escaping) return output.write(beforeText + printableBytes(entry.pathBytes) + tail);
    return output.writeBytes(Buffer.concat([before, entry.pathBytes, Buffer.from(tail)]));
  };
  if (options.long) return longLines(output, path, end, escaping);
  if (options.stat) {
    return (entry) => {
      output.write(statText(entry.stat));
      return path(entry, end);
    };
  }
  return (entry) => path(entry, end);
}

/** `ls -l`'s columns, the path, and where a symlink points to. */
function longLines(
  output: Output,
  path: (entry: Entry, tail: string) => Written,
  end: string,
  escaping: boolean,
): (entry: Entry) => Written {
  const columns = longFormat();
  return (entry) => {
    output.write(columns(entry.stat));
    return entry.isSymbolicLink() ? linkLine(entry) : path(entry, end);
  };

  async function linkLine(entry: Entry): Promise<void> {
    await path(entry, ' -> ');
    // A link that is gone or was replaced meanwhile has no target to show; its line stands.
    const target = await targetOf(entry);
    await (escaping ? output.write(printableBytes(target)) : output.writeBytes(target));
    await output.write(end);
  }
}

async function targetOf(entry: Entry): Promise<Buffer> {
  try {
    return (await entry.readlink({ encoding: 'buffer' })) as unknown as Buffer;
  } catch (error) {
    return Buffer.from(error instanceof Error && 'code' in error ? `? (${error.code})` : '?');
  }
}

/** Entry.toJSON() as text, put together by hand: JSON.stringify with its objects and bigints takes three times as long. */
function jsonText(entry: Entry): string {
  const { path, stat } = entry;
  const bytes = path.includes('\ufffd') ? exactly(entry) : '';
  return `{"path":${JSON.stringify(path)},${bytes}"depth":${entry.depth},"kind":"${entry.kind}","mode":${stat.mode},"uid":${stat.uid},"gid":${stat.gid},"nlink":${stat.nlink},"size":${stat.exactSize},"blocks":${stat.blocks},"ino":"${stat.ino}","dev":"${stat.dev}","rdev":"${stat.rdev}","mountId":"${stat.mountId}","atimeNs":"${stat.atimeNs}","mtimeNs":"${stat.mtimeNs}","ctimeNs":"${stat.ctimeNs}","birthtimeNs":"${stat.birthtimeNs}"}`;
}

/** The bytes of a path that U+FFFD stands in for; a name may also hold that character itself. */
function exactly({ path, pathBytes }: Entry): string {
  return Buffer.from(path).equals(pathBytes) ? '' : `"pathBytes":"${pathBytes.toString('base64')}",`;
}

/** `kind=file mode=100644 … `: the fields of Stat.toJSON(), the mode in octal. */
function statText(stat: Stat): string {
  let text = '';
  for (const [name, value] of Object.entries(stat.toJSON())) {
    text += `${name}=${name === 'mode' ? value.toString(8) : value} `;
  }
  return text;
}

function prefixOf(root: string | Buffer): Buffer {
  const bytes = Buffer.from(root);
  return bytes.at(-1) === 0x2f ? bytes : Buffer.concat([bytes, Buffer.from('/')]);
}
