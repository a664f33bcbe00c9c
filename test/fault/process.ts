// A subject's process under strace(1): attached for one run at a time, so that calls are counted from the run's beginning, and in one
// thread where it is known. Killed when it does not answer.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseTrace, type SyscallEvent } from '../fixtures/strace-parse.js';
import type { TestLike } from '../fixtures/temporary.js';
import { isRoot, need, requireTool } from '../fixtures/tools.js';
import type { Answer } from './subject.js';
import { unknownFeatures } from './unknown-calls.js';

const childProgram = fileURLToPath(new URL('child.js', import.meta.url));

/** Long beside any run, also on a machine that is busy: what has not ended by then hangs. In milliseconds. */
const WATCHDOG = 20_000;

export interface TraceOptions {
  /** One thread. Default: all, and those that they start. */
  readonly thread?: number | undefined;
  /** `CALL:error=E:when=N`, or `CALL:signal=KILL:when=N`. */
  readonly inject?: string | undefined;
}

export type Ended =
  | { readonly how: 'answered'; readonly answer: Answer }
  | { readonly how: 'died'; readonly signal: string | null; readonly code: number | null; readonly stderr: string }
  | { readonly how: 'hung' };

export type TracedRun = Ended & { readonly events: readonly SyscallEvent[] };

export class SubjectProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #stderr = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'close');
    child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()));
  }

  static async start(subject: string, work: string, fixed: string): Promise<SubjectProcess> {
    const child = fork(childProgram, [subject, work, fixed], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      // One thread: the n-th call of libuv's pool is then always the same one.
      env: { ...process.env, UV_THREADPOOL_SIZE: '1', DIRFD_DISABLE: unknownFeatures.join(',') },
    });
    const made = new SubjectProcess(child);
    await Promise.race([once(child, 'message'), made.#exited]);
    if (child.exitCode !== null) throw new Error(`${childProgram} did not start: ${made.#stderr}`);
    return made;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** In the order in which they were started. */
  threads(): number[] {
    return readdirSync(`/proc/${this.pid}/task`)
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** Where its descriptors lead, but for the one of /proc/self/fd that a process opens once and keeps. */
  descriptors(): string[] {
    const directory = `/proc/${this.pid}/fd`;
    return readdirSync(directory)
      .map((fd) => readlinkSync(join(directory, fd)))
      .filter((link) => link !== directory);
  }

  async run(step: 'run' | 'again' = 'run'): Promise<Ended> {
    const ended = this.#ended();
    this.#child.send(step);
    return await ended;
  }

  async runTraced(options: TraceOptions): Promise<TracedRun> {
    const directory = mkdtempSync(join(tmpdir(), 'dirfd-fault-'));
    const output = join(directory, 'trace');
    const tracer = spawn('strace', straceArguments(output, options, this.pid), { stdio: ['ignore', 'ignore', 'pipe'] });
    try {
      await attached(tracer);
      const ended = await this.run();
      // SIGTERM makes strace let go; of a process that is gone it knows by itself.
      tracer.kill('SIGTERM');
      if (tracer.exitCode === null && tracer.signalCode === null) await once(tracer, 'exit');
      return { ...ended, events: parseTrace(withThread(readFileSync(output, 'latin1'), options.thread)) };
    } finally {
      tracer.kill('SIGKILL');
      rmSync(directory, { recursive: true });
    }
  }

  async end(): Promise<void> {
    if (!this.isAlive) return;
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  async #ended(): Promise<Ended> {
    const listening = new AbortController();
    const { signal } = listening;
    const answer = once(this.#child, 'message', { signal }).then(
      ([message]) => ({ how: 'answered', answer: message }) as Ended,
    );
    answer.catch(() => {}); // aborted, when the process has died or hangs
    const died = this.#exited.then(
      () =>
        ({ how: 'died', signal: this.#child.signalCode, code: this.#child.exitCode, stderr: this.#stderr }) as Ended,
    );
    let timer: NodeJS.Timeout | undefined;
    const watchdog = new Promise<Ended>((resolve) => {
      timer = setTimeout(() => resolve({ how: 'hung' }), WATCHDOG);
    });
    try {
      return await Promise.race([answer, died, watchdog]);
    } finally {
      clearTimeout(timer);
      listening.abort();
    }
  }
}

/** What names a file or acts on a descriptor, and the few others that a thread of dirfd may make. */
const traced = '%file,%desc,getrandom,unshare';

function straceArguments(output: string, { thread, inject }: TraceOptions, pid: number): string[] {
  const who = thread === undefined ? ['-f', '-p', String(pid)] : ['-p', String(thread)];
  const what = inject === undefined ? [] : ['-e', `inject=${inject}`];
  return ['-y', '-v', '-s', '128', '--signal=none', '-o', output, '-e', `trace=${traced}`, ...what, ...who];
}

async function attached(tracer: ChildProcess): Promise<void> {
  let said = '';
  await new Promise<void>((resolve, reject) => {
    tracer.once('exit', () => reject(new Error(`strace could not attach: ${said}`)));
    // Read to the end: a pipe that nobody reads would kill strace when it tells of its detaching.
    tracer.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (/ attached/.test(said)) resolve();
    });
  });
}

/** Of a single thread strace does not say which one it is. */
function withThread(text: string, thread: number | undefined): string {
  return thread === undefined ? text : text.replace(/^(?=.)/gm, `${thread} `);
}

/** False, with a skip, where strace is missing or may not trace the subjects. */
export function canAttach(t: Pick<TestLike, 'skip'>): boolean {
  return (
    requireTool(t, 'strace', 'rsync') && need(t, isRoot() || traceScope() === '0', 'only root may trace a sibling here')
  );
}

/** 1: a process may trace its descendants only (the kernel's Documentation/admin-guide/LSM/Yama.rst). */
function traceScope(): string {
  try {
    return readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'utf8').trim();
  } catch {
    return '0';
  }
}
