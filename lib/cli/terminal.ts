/** What a terminal may be shown, and what it can do. */

/**
 * C0 and C1 controls, which move cursors and colour screens, the backslash that marks them here, U+FFFD, which stands for bytes that are no
 * UTF-8, and the marks that reorder text: "gpj.exe" must not show as "exe.jpg".
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be printed
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\\]/g;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\x1b': '\\e', '\\': '\\\\' };

/** A name as one line that no terminal takes for a command: `line\nbreak`, `\e[31mred`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (c) => SHORT[c] ?? escaped(c.charCodeAt(0)));
}

/** The same for bytes: what is not UTF-8 shows as `\xff`. */
export function printableBytes(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (!text.includes('\ufffd')) return printable(text);
  let shown = '';
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    shown += length === 0 ? escaped(bytes[at] as number) : printable(bytes.toString('utf8', at, at + length));
    at += Math.max(length, 1);
  }
  return shown;
}

/** The length of the valid UTF-8 sequence at `at`, or 0. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] as number;
  const length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  const part = bytes.subarray(at, at + length);
  // Decoding and encoding again finds cut-off, overlong and surrogate sequences alike.
  return part.length === length && Buffer.from(part.toString('utf8')).equals(part) ? length : 0;
}

function escaped(code: number): string {
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
}

/** Colours only where a person sees them, and only where that person wants them (no-color.org). */
export function painter(stream: {
  readonly isTTY?: boolean;
}): (style: 'bold' | 'green' | 'yellow', text: string) => string {
  const codes = { bold: [1, 22], green: [32, 39], yellow: [33, 39] } as const;
  if (!stream.isTTY || process.env.NO_COLOR || process.env.TERM === 'dumb') return (_, text) => text;
  return (style, text) => `\x1b[${codes[style][0]}m${text}\x1b[${codes[style][1]}m`;
}
