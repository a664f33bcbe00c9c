/** How far a large write has come: for the caller's function, and for a bar on the terminal. */

import type { SingleBar } from 'cli-progress';
import type { AtomicWriteOptions } from './options.js';

/** Bytes below which a bar would be gone before it is seen. */
const LARGE = 1024 * 1024;

export class Progress {
  readonly #tell: AtomicWriteOptions['progress'];
  readonly #total: number | undefined;
  readonly #isShown: boolean;
  #bar: Promise<SingleBar> | undefined;

  /** @param total bytes in all, where they are known */
  constructor({ progress, showProgress }: AtomicWriteOptions, total?: number) {
    this.#tell = progress;
    this.#total = total;
    this.#isShown = showProgress === true && process.stderr.isTTY === true;
  }

  tell(bytes: number): void {
    this.#tell?.({ bytes, total: this.#total });
    if (!this.#isShown || bytes < LARGE) return;
    this.#bar ??= this.#show();
    void this.#bar.then((bar) => bar.update(bytes));
  }

  end(): void {
    void this.#bar?.then((bar) => bar.stop());
    this.#bar = undefined;
  }

  async #show(): Promise<SingleBar> {
    const { default: cliProgress } = await import('cli-progress');
    const bar = new cliProgress.SingleBar({
      stream: process.stderr,
      format:
        this.#total === undefined ? 'writing {value} bytes' : 'writing [{bar}] {percentage}% | {eta_formatted} left',
      clearOnComplete: true,
      hideCursor: true,
      gracefulExit: false,
    });
    bar.start(this.#total ?? 0, 0);
    return bar;
  }
}
