/**
 * Globs as git matches them: `*` and `?` within one component, `**` as a component for any number of them, `[…]` with ranges, negation
 * and `[:classes:]`, backslashes. Over bytes, as names are: patterns and texts are latin1 strings, a character a byte.
 *
 * Only the last `*`, and the last `**` before it, are ever tried again: what comes before them has matched as early as it can, and later
 * would do no better. So no pattern, however spiteful, costs more than the square of the text's length times its own.
 */

type Token = number;

// Bytes stand for themselves; the rest is below zero. No token but a literal '/' matches a '/'.
const ANY = -1;
const STAR = -2;
/** Any number of components, none too, with the slash behind each. */
const COMPONENTS = -3;
/** Whatever is left, slashes too. */
const REST = -4;
/** The first class is this token, the next one less. */
const CLASS = -5;

const SLASH = 0x2f;

/** @returns whether a text matches; a glob that git holds for malformed matches none */
export function wildmatch(glob: string): (text: string) => boolean {
  if (!/[*?[\\]/.test(glob)) return (text) => text === glob;
  const classes: ByteSet[] = [];
  const tokens = tokenize(glob, classes);
  return tokens === undefined ? () => false : (text) => matches(tokens, classes, text);
}

function matches(tokens: readonly Token[], classes: readonly ByteSet[], text: string): boolean {
  let at = 0;
  let token = 0;
  // The token after the last STAR or COMPONENTS, and the end of what that one has taken of the text.
  let afterStar = -1;
  let starEnd = 0;
  let afterComponents = -1;
  let componentsEnd = 0;
  for (;;) {
    const wanted = tokens[token];
    if (wanted === STAR) {
      afterStar = ++token;
      starEnd = at;
    } else if (wanted === COMPONENTS) {
      afterComponents = ++token;
      componentsEnd = at;
      afterStar = -1;
    } else if (wanted === REST || (wanted === undefined && at === text.length)) {
      return true;
    } else if (wanted !== undefined && at < text.length && matchesByte(wanted, classes, text.charCodeAt(at))) {
      token++;
      at++;
    } else if (afterStar >= 0 && starEnd < text.length && text.charCodeAt(starEnd) !== SLASH) {
      token = afterStar;
      at = ++starEnd;
    } else {
      const slash = afterComponents >= 0 ? text.indexOf('/', componentsEnd) : -1;
      if (slash < 0) return false;
      token = afterComponents;
      at = componentsEnd = slash + 1;
      afterStar = -1;
    }
  }
}

function matchesByte(token: Token, classes: readonly ByteSet[], byte: number): boolean {
  if (token >= 0) return token === byte;
  if (byte === SLASH) return false;
  return token === ANY || classes[CLASS - token]?.has(byte) === true;
}

/** @returns undefined for a class without end, an unknown [:class:], or a backslash with nothing behind it */
function tokenize(glob: string, classes: ByteSet[]): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < glob.length; ) {
    const char = glob[at];
    if (char === '*') {
      const end = endOf(glob, at);
      tokens.push(...starTokens(glob, at, end));
      at = tokens.at(-1) === COMPONENTS ? glob.indexOf('/', end) + 1 : end;
    } else if (char === '[') {
      const parsed = parseClass(glob, at + 1);
      if (parsed === undefined) return undefined;
      tokens.push(CLASS - classes.length);
      classes.push(parsed.bytes);
      at = parsed.end;
    } else {
      if (char === '\\') at++;
      if (at === glob.length) return undefined;
      tokens.push(char === '?' ? ANY : glob.charCodeAt(at));
      at++;
    }
  }
  return tokens;
}

function endOf(glob: string, stars: number): number {
  let end = stars;
  while (glob[end] === '*') end++;
  return end;
}

/** Two stars or more are more than one only where they are a component of their own. */
function starTokens(glob: string, begin: number, end: number): readonly Token[] {
  const ownComponent = end - begin > 1 && (begin === 0 || glob[begin - 1] === '/');
  if (ownComponent && end === glob.length) return [REST];
  if (ownComponent && glob[end] === '/') return [COMPONENTS];
  // A slash that is quoted needs a component before it.
  if (ownComponent && glob.startsWith('\\/', end)) return [STAR, SLASH, COMPONENTS];
  return [STAR];
}

/** What stands between brackets, `begin` being behind the first. */
function parseClass(glob: string, begin: number): { readonly bytes: ByteSet; readonly end: number } | undefined {
  const negated = glob[begin] === '!' || glob[begin] === '^';
  const bytes = new ByteSet();
  let at = negated ? begin + 1 : begin;
  /** What a range may begin with. */
  let previous: number | undefined;
  for (const first = at; at < glob.length; ) {
    const char = glob[at];
    if (char === ']' && at > first) {
      if (negated) bytes.invert();
      return { bytes, end: at + 1 };
    }
    const named = char === '[' && glob[at + 1] === ':' ? parseNamedClass(glob, at + 2) : undefined;
    if (named !== undefined) {
      const test = NAMED_CLASSES[named];
      if (test === undefined) return undefined;
      bytes.addWhere(test);
      previous = undefined;
      at += named.length + '[::]'.length;
    } else if (char === '-' && previous !== undefined && at + 1 < glob.length && glob[at + 1] !== ']') {
      at += glob[at + 1] === '\\' ? 2 : 1;
      bytes.addRange(previous, glob.charCodeAt(at++));
      previous = undefined;
    } else {
      if (char === '\\') at++;
      previous = glob.charCodeAt(at++);
      bytes.addRange(previous, previous);
    }
  }
  return undefined;
}

/** The name, if the next ']' has a ':' before it. */
function parseNamedClass(glob: string, begin: number): string | undefined {
  const end = glob.indexOf(']', begin);
  return end > begin && glob[end - 1] === ':' ? glob.slice(begin, end - 1) : undefined;
}

/** Of ASCII alone, as git has them in every locale: no vertical tab among the spaces. */
const NAMED_CLASSES: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this class is
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

class ByteSet {
  readonly #has = new Uint8Array(256);

  has(byte: number): boolean {
    return this.#has[byte] === 1;
  }
  addRange(first: number, last: number): void {
    if (first <= last) this.#has.fill(1, first, last + 1);
  }
  addWhere(test: RegExp): void {
    for (let byte = 0; byte < 256; byte++) if (test.test(String.fromCharCode(byte))) this.#has[byte] = 1;
  }
  invert(): void {
    for (let byte = 0; byte < 256; byte++) this.#has[byte] = 1 - (this.#has[byte] as number);
  }
}
