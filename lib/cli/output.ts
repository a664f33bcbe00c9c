/**
 * Standard output, written in large chunks, no faster than the reader takes them. A reader that goes away (`dirfd walk / | head`) is no
 * error: `closed` tells the command that nobody listens any more.
 */

import { EventEmitter, once } from 'node:events';
import { CommandError } from './messages.js';

const CHUNK = 64 * 1024;

export class Output {
  readonly #stream = process.stdout;
  #text = '';
  #closed = false;
  #failure: Error | undefined;
  readonly #settled = new EventEmitter();

  constructor() {
    this.#stream.on('drain', () => this.#settled.emit('settled'));
    this.#stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#closed = true;
      if (error.code !== 'EPIPE') this.#failure = error;
      this.#settled.emit('settled');
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
    return this.#text.length < CHUNK ? undefined : this.#send();
  }

  /** Adds bytes as they are: a name need not be text. */
  writeBytes(bytes: Buffer): Promise<void> | undefined {
    this.#send();
    return this.#push(bytes);
  }

  /** Sends what has been added, without waiting for more. */
  flush(): Promise<void> | undefined {
    return this.#send();
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
    await this.#send();
    if (!this.#closed && this.#stream.writableLength > 0) await once(this.#settled, 'settled');
    if (this.#failure) throw new CommandError(`${this.#failure.message} (standard output)`);
  }

  #send(): Promise<void> | undefined {
    const text = this.#text;
    this.#text = '';
    return text === '' ? undefined : this.#push(text);
  }

  #push(chunk: string | Buffer): Promise<void> | undefined {
    if (this.#closed || this.#stream.write(chunk)) return undefined;
    return once(this.#settled, 'settled').then(() => {});
  }
}
