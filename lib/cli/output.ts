/**
 * Standard output, written in large chunks, no faster than the reader takes them. A reader that goes away (`dirfd walk / | head`) is no
 * error: `closed` tells the command that nobody listens any more.
 */

import { CommandError } from './messages.js';

const CHUNK = 64 * 1024;

export class Output {
  readonly #stream = process.stdout;
  /** What has been added and not yet sent: pieces, and text behind them. */
  #pieces: Buffer[] = [];
  #piecesLength = 0;
  #text = '';
  #closed = false;
  #failure: Error | undefined;
  /** While the reader is slow: one promise for all who wait. */
  #taken: Promise<void> | undefined;
  #onTaken: (() => void) | undefined;

  constructor() {
    this.#stream.on('drain', () => this.#settle());
    this.#stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#closed = true;
      if (error.code !== 'EPIPE') this.#failure = error;
      this.#settle();
    });
  }

  /** True once the reader is gone. */
  get closed(): boolean {
    return this.#closed;
  }

  get isTTY(): boolean {
    return this.#stream.isTTY === true;
  }

  /** Adds text, line ends included. The promise, where there is one, is for the caller to await: the reader is slow. */
  write(text: string): Promise<void> | undefined {
    this.#text += text;
    return this.#piecesLength + this.#text.length < CHUNK ? this.#taken : this.flush();
  }

  /** Adds bytes as they are: a name need not be text. */
  writeBytes(bytes: Buffer): Promise<void> | undefined {
    this.#closePiece();
    this.#add(bytes);
    return this.#piecesLength < CHUNK ? this.#taken : this.flush();
  }

  /** Sends what has been added, without waiting for more. */
  flush(): Promise<void> | undefined {
    // Text alone is the usual thing, and Node encodes it best.
    const chunk = this.#pieces.length === 0 ? this.#text : this.#joined();
    this.#text = '';
    if (chunk.length > 0 && !this.#closed && !this.#stream.write(chunk)) {
      this.#taken ??= new Promise((resolve) => {
        this.#onTaken = resolve;
      });
    }
    return this.#taken;
  }

  /** One value as one line of JSON. */
  json(value: unknown): Promise<void> | undefined {
    return this.write(`${JSON.stringify(value)}\n`);
  }

  /**
   * Waits until all of it has been taken.
   *
   * @throws CommandError where standard output failed for another reason than a reader that left
   */
  async end(): Promise<void> {
    await this.flush();
    if (!this.#closed) await new Promise<void>((resolve) => this.#stream.write('', () => resolve()));
    if (this.#failure) throw new CommandError(`${this.#failure.message} (standard output)`);
  }

  #settle(): void {
    this.#onTaken?.();
    this.#onTaken = undefined;
    this.#taken = undefined;
  }

  #joined(): Buffer {
    this.#closePiece();
    const joined = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#piecesLength = 0;
    return joined;
  }

  #closePiece(): void {
    if (this.#text !== '') this.#add(Buffer.from(this.#text));
    this.#text = '';
  }

  #add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#piecesLength += piece.length;
  }
}
