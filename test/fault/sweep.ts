// One subject, swept: each call of its run fails once with every errno that is asked for, or is where the process is killed.
//
//   count     a run without faults, traced: which thread makes which calls
//   inject    the same run again, strace failing the n-th call of that thread; a process serves for many runs, so that a descriptor
//             that is left over shows
//   judge     by the answer and by others' tools
import { setTimeout as sleep } from 'node:timers/promises';
import type { SyscallEvent } from '../fixtures/strace.js';
import { isNews } from './errnos.js';
import { classify, isDefect, type Outcome } from './outcome.js';
import type { Place } from './place.js';
import { isAboutFiles, type Point, pointsOf } from './points.js';
import { SubjectProcess, type TracedRun } from './process.js';
import type { Answer, Subject } from './subject.js';

export interface Fault extends Point {
  /** An errno's name, or KILL. */
  readonly fault: string;
}

/** How often a run is made again in which the fault did not come to pass, as when threads took turns differently. */
const ATTEMPTS = 3;

export class Sweep {
  readonly #subject: Subject;
  readonly #place: Place;
  #process: SubjectProcess | undefined;

  constructor(subject: Subject, place: Place) {
    this.#subject = subject;
    this.#place = place;
  }

  /** Every point of the subject; its run without faults has to be faultless. */
  async points(): Promise<Point[]> {
    const process = await this.#ready();
    const threads = process.threads();
    const run = await process.runTraced({});
    const outcome = this.#judge(run);
    if (outcome.is !== 'identical') {
      throw new Error(`${this.#subject.name} without faults: ${outcome.is}: ${outcome.details.join('; ')}`);
    }
    const calls = run.events.map(({ call, args }) => `${call}(${args.join(', ')}`);
    for (const pattern of this.#subject.reaches ?? []) {
      if (!calls.some((call) => pattern.test(call))) throw new Error(`${this.#subject.name} never calls ${pattern}`);
    }
    return pointsOf(run.events, threads, this.#anyThread);
  }

  async inject(fault: Fault): Promise<Outcome> {
    for (let attempt = 1; ; attempt++) {
      const outcome = fault.fault === 'KILL' ? await this.#kill(fault) : await this.#fail(fault);
      if (outcome.is === 'missed' && attempt === ATTEMPTS && this.#subject.unsteady) return absent;
      if (outcome.is !== 'missed' || attempt === ATTEMPTS) return outcome;
      await this.end();
    }
  }

  async end(): Promise<void> {
    await this.#process?.end();
    this.#process = undefined;
  }

  get #anyThread(): boolean {
    return Boolean(this.#subject.ownThreads || this.#subject.cold);
  }

  async #fail(fault: Fault): Promise<Outcome> {
    const process = await this.#ready();
    const before = process.descriptors();
    const run = await process.runTraced({
      thread: this.#thread(process, fault),
      inject: `${fault.call}:error=${fault.fault}:when=${fault.nth}`,
    });
    const injected = run.events.filter((event) => event.injected);
    const hits = injected.filter(isAboutFiles);
    // Threads that took turns differently have made of it a call of the event loop's own, which may not fail.
    const isElsewhere = hits.length === 0 && (run.how === 'answered' || injected.length > 0);
    const outcome = isElsewhere ? missed : judgeNews(fault, hits, this.#judgeSync(fault, this.#judge(run)));
    // A close that was made to fail was not made: that one descriptor is left, and none else. A ring's is not about files.
    const spared = fault.call === 'close' ? injected.length : 0;
    const leaked = run.how === 'answered' ? await leaks(process, before, spared) : [];
    // What it remembers of a kernel without that call, and what is open for good, must not reach the next run.
    if (this.#subject.cold || spared > 0 || fault.fault === 'ENOSYS' || isDefect(outcome) || leaked.length > 0) {
      await this.end();
    }
    if (leaked.length > 0 && !isDefect(outcome)) return { is: 'leak', details: leaked };
    return outcome.is === 'told' && run.how === 'answered' && run.answer.rejected
      ? await this.#afterFailure(outcome, run.answer)
      : outcome;
  }

  #judgeSync({ call, fault }: Fault, outcome: Outcome): Outcome {
    const isLost =
      this.#subject.durable &&
      /^(fsync|fdatasync|syncfs)$/.test(call) &&
      fault !== 'EINTR' &&
      outcome.is === 'identical';
    return isLost ? { is: 'unsynced', details: [] } : outcome;
  }

  /** What fails as a whole leaves what was there, or what was to be there, and is no obstacle to the next. */
  async #afterFailure(told: Outcome, answer: Answer): Promise<Outcome> {
    if (!this.#subject.judgeFailed) return told;
    const { differences } = this.#subject.judgeFailed(this.#place.work, this.#place.fixed, answer);
    const details = [...told.details, ...differences.map(({ line }) => line)];
    if (differences.length > 0) return { is: 'halfway', details };
    const next = await this.#again();
    return next.is === 'identical' ? told : { ...next, details: [...told.details, ...next.details] };
  }

  async #kill(fault: Fault): Promise<Outcome> {
    const process = await this.#ready();
    const run = await process.runTraced({
      thread: this.#thread(process, fault),
      inject: `${fault.call}:signal=KILL:when=${fault.nth}`,
    });
    if (run.how !== 'died' || run.signal !== 'SIGKILL') {
      await this.end();
      return run.how === 'answered' ? missed : this.#judge(run);
    }
    const { work, fixed } = this.#place;
    const left = (this.#subject.judgeKilled ?? ((...at) => this.#lookalikes(...at)))(work, fixed);
    if (left.lookalikes.length > 0) return { is: 'lookalike', details: left.lookalikes };
    if (left.differences.length > 0) return { is: 'unrecovered', details: left.differences.map(({ line }) => line) };
    const next = await this.#again();
    return next.is === 'identical' ? { is: 'recovered', details: [] } : next;
  }

  /** The next run, in the same process where that lives. */
  async #again(): Promise<Outcome> {
    const { work, fixed } = this.#place;
    if (!this.#process?.isAlive) this.#process = await SubjectProcess.start(this.#subject.name, work, fixed);
    const outcome = this.#judge({ ...(await this.#process.run('again')), events: [] });
    if (outcome.is === 'identical') return outcome;
    await this.end();
    return { is: outcome.is === 'told' ? 'unrecovered' : outcome.is, details: ['the next run:', ...outcome.details] };
  }

  #lookalikes(work: string, fixed: string) {
    const { lookalikes } = this.#subject.judge(work, fixed, { complete: false, told: [] });
    return { differences: [], lookalikes };
  }

  /** A process with the place as it was at first; unless cold, one that has done it all once. */
  async #ready(): Promise<SubjectProcess> {
    const { work, fixed } = this.#place;
    if (this.#process === undefined || !this.#process.isAlive) {
      this.#process = await SubjectProcess.start(this.#subject.name, work, fixed);
      if (!this.#subject.cold) {
        this.#restore();
        await this.#process.run();
      }
    }
    this.#restore();
    return this.#process;
  }

  #restore(): void {
    this.#place.restore();
    this.#subject.makeReady?.(this.#place.work);
  }

  #thread(process: SubjectProcess, { thread }: Point): number | undefined {
    if (thread === undefined) return undefined;
    const found = process.threads()[thread];
    if (found === undefined) throw new Error(`${this.#subject.name} has no thread ${thread}`);
    return found;
  }

  #judge(run: TracedRun): Outcome {
    if (run.how === 'hung')
      return { is: 'hung', details: run.events.slice(-3).map(({ call, args }) => `${call}(${args})`) };
    if (run.how === 'died') return { is: 'crashed', details: [`${run.signal ?? run.code}`, run.stderr.slice(-2000)] };
    return classify(run.answer, this.#subject.judge(this.#place.work, this.#place.fixed, run.answer));
  }
}

const missed: Outcome = { is: 'missed', details: [] };
const absent: Outcome = { is: 'absent', details: [] };

/** Without the name or the attribute that was said not to be there, all was done: nothing else differs. */
function judgeNews({ call, fault }: Fault, hits: readonly SyscallEvent[], outcome: Outcome): Outcome {
  if (outcome.is !== 'silent' || !isNews(call, fault)) return outcome;
  const names = hits.flatMap(({ args: [, name = ''] }) => /([^"/]+)"$/.exec(name)?.[1] ?? []);
  const isAbout =
    fault !== 'ENOENT' ||
    names.length === 0 ||
    outcome.details.every((line) => names.some((name) => line.includes(name)));
  return isAbout ? { ...outcome, is: 'believed' } : outcome;
}

/** Descriptors that were not there before, given a moment: the last close may come after the answer. */
async function leaks(process: SubjectProcess, before: readonly string[], spared: number): Promise<string[]> {
  for (let patience = 20; ; patience--) {
    const left = [...before];
    const more = process.descriptors().filter((link) => {
      const index = left.indexOf(link);
      if (index >= 0) left.splice(index, 1);
      return index < 0;
    });
    if (more.length <= spared) return [];
    if (patience === 0) return more;
    await sleep(25);
  }
}
