/**
 * Runs tasks, the newest first, a bounded number at a time. Newest first walks a tree depth first, so what waits is what lies beside the
 * current path, not a whole level of the tree. Tasks that make more work than they end go last, or what they leave to do would pile up.
 */
export class Scheduler {
  /** Tasks that run at a time. */
  readonly limit: number;
  readonly #waiting: (() => Promise<void>)[] = [];
  readonly #last: (() => Promise<void>)[] = [];
  #running = 0;
  #failure: { readonly thrown: unknown } | undefined;
  #done: (() => void) | undefined;

  constructor(limit: number) {
    this.limit = limit;
  }

  push(task: () => Promise<void>): void {
    if (this.#failure) return;
    this.#waiting.push(task);
    this.#start();
  }

  /** To be run when nothing else waits. */
  pushLast(task: () => Promise<void>): void {
    if (this.#failure) return;
    this.#last.push(task);
    this.#start();
  }

  /** Drops what waits; what runs comes to its end, and then finished() rejects. Later failures are the first one's echo. */
  fail(thrown: unknown): void {
    this.#failure ??= { thrown };
    this.#waiting.length = 0;
    this.#last.length = 0;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** When all tasks, and those they have pushed, are done. */
  async finished(): Promise<void> {
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#done = resolve;
      });
    }
    if (this.#failure) throw this.#failure.thrown;
  }

  #start(): void {
    while (this.#running < this.limit) {
      const task = this.#waiting.pop() ?? this.#last.pop();
      if (!task) return;
      this.#running++;
      task()
        .catch((thrown: unknown) => this.fail(thrown))
        .finally(() => {
          this.#running--;
          this.#start();
          if (this.#running === 0) this.#done?.();
        });
    }
  }
}
