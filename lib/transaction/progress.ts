/** How far a transaction is: numbers for a callback, or a bar on a terminal. */

/** What `onProgress` is called with. */
export interface TransactionProgress {
  /** `stage` until the commit, `sync` while that waits for the disk, `lock` for others, `apply` while names change. */
  readonly phase: 'stage' | 'sync' | 'lock' | 'apply';
  /** Operations added, or changes applied. */
  readonly done: number;
  /** Changes in all; 0 while operations are added. */
  readonly total: number;
  /** Content written so far, in bytes. */
  readonly bytes: number;
}

/** Calls apart at least, in milliseconds, within a phase. */
const PAUSE = 50;

export class ProgressMeter {
  readonly #tell: ((progress: TransactionProgress) => void) | undefined;
  readonly #bar: ReturnType<typeof progressBar> | undefined;
  #progress: TransactionProgress = { phase: 'stage', done: 0, total: 0, bytes: 0 };
  #told = 0;

  /** @param showsBar where there is a terminal */
  constructor(tell: ((progress: TransactionProgress) => void) | undefined, showsBar: boolean) {
    this.#tell = tell;
    this.#bar = showsBar ? progressBar() : undefined;
  }

  get bytes(): number {
    return this.#progress.bytes;
  }

  phase(phase: TransactionProgress['phase'], total: number): void {
    this.#progress = { ...this.#progress, phase, total, done: 0 };
    this.#report(true);
  }

  advance(done: number, bytes = 0): void {
    const progress = this.#progress;
    this.#progress = { ...progress, done: progress.done + done, bytes: progress.bytes + bytes };
    this.#report(this.#progress.done === progress.total);
  }

  stop(): void {
    void this.#bar?.then((bar) => bar.stop());
  }

  #report(always: boolean): void {
    if (!this.#tell && !this.#bar) return;
    const now = performance.now();
    if (!always && now - this.#told < PAUSE) return;
    this.#told = now;
    const told = this.#progress;
    void this.#bar?.then((bar) => bar.tell(told));
    this.#tell?.(told);
  }
}

/** A bar on standard error, where that is a terminal. */
async function progressBar(): Promise<{ tell(progress: TransactionProgress): void; stop(): void }> {
  if (!process.stderr.isTTY) return { tell() {}, stop() {} };
  const { default: cliProgress } = await import('cli-progress');
  const format = '{phase} [{bar}] {value}/{total}';
  const bar = new cliProgress.SingleBar({ format, stream: process.stderr, clearOnComplete: true, hideCursor: true });
  let running = false;
  return {
    tell({ phase, done, total }) {
      // How many operations there will be, nobody knows while they are added.
      if (phase === 'stage') return;
      if (!running) bar.start(total, done, { phase });
      running = true;
      bar.update(done, { phase });
    },
    stop() {
      if (running) bar.stop();
    },
  };
}
