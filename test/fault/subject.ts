// What a fault sweep is made over. One subject is one operation: how its place is made, the operation itself, and how others' tools
// tell whether it was done. test/fault/subjects.ts is the table of all.
import { FsError } from 'dirfd';

/** One thing that an operation told of, besides success. */
export interface Told {
  /** Below the subject's root; '' is the root itself. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** What a run ended with. */
export interface Answer {
  /** True where the operation claims that all was done. */
  readonly complete: boolean;
  readonly told: readonly Told[];
  /** Set where it was rejected; structured: an FsError with code, syscall, and the directory and name it is about. */
  readonly rejected?: {
    readonly name: string;
    readonly code: string;
    readonly message: string;
    readonly structured: boolean;
  };
  /** What it found, for the subjects that find something. */
  readonly found?: readonly string[];
}

/** What the place lacks, or has too much, after a run that should have done everything. */
export interface Verdict {
  /** A line each, with the path that it is about. */
  readonly differences: readonly { readonly path: string; readonly line: string }[];
  /** Paths of files that have the size and the time of their source, but not its content. */
  readonly lookalikes: readonly string[];
}

export interface Subject {
  readonly name: string;
  /** What no run changes; made once. */
  readonly makeFixed?: (fixed: string) => void;
  /** What a run changes; made once, restored before every run. */
  readonly makeWork?: (work: string, fixed: string) => void | Promise<void>;
  /** Before every run, after that: what must not be a copy, since inode numbers matter. */
  readonly makeReady?: (work: string) => void;
  /** In the subject's own process, on its own two directories. */
  readonly run: (work: string, fixed: string) => Promise<Answer>;
  /** What follows a SIGKILL, and has to lead to what `run` should have led to; by default the same again. */
  readonly again?: (work: string, fixed: string) => Promise<Answer>;
  readonly judge: (work: string, fixed: string, answer: Answer) => Verdict;
  /** After a SIGKILL, before anything else has run: what must not be there. By default `judge`'s lookalikes. */
  readonly judgeKilled?: (work: string, fixed: string) => Verdict;
  /** After a rejection: what must not be there all the same. Then `again` follows, and has to succeed. By default neither. */
  readonly judgeFailed?: (work: string, fixed: string, answer: Answer) => Verdict;
  /** What it claims to have done outlasts a crash: so no claim may follow a sync that failed. */
  readonly durable?: boolean;
  /** The subject starts threads of its own: faults hit the n-th call of every thread. Else those of one. */
  readonly ownThreads?: boolean;
  /** Its threads share the work as it comes, so that a run may lack a call that another has. */
  readonly unsteady?: boolean;
  /** Every run is the first one of its process: what is looked up once a process is then swept too. */
  readonly cold?: boolean;
  /** What the trace of a run has to show, or it is not the run that is meant. Each call as `name(first, second, …`. */
  readonly reaches?: readonly RegExp[];
  /** Why it cannot run here, or nothing. */
  readonly unavailable?: () => string | undefined;
  /** It writes; so it is killed at every call too. */
  readonly writes: boolean;
}

export const nothingAmiss: Verdict = { differences: [], lookalikes: [] };

/** A line a difference, none about a path that a tool could name. */
export function amiss(lines: readonly string[], path = ''): Verdict {
  return { differences: lines.map((line) => ({ path, line })), lookalikes: [] };
}

export const complete: Answer = { complete: true, told: [] };

/** What an operation was rejected with, as an answer. Where the end of a block has failed too, `await using` hides the failure in another. */
export function rejection(thrown: unknown): Answer {
  const error = ((thrown as { readonly suppressed?: unknown })?.suppressed ?? thrown) as Partial<FsError> & Error;
  const structured =
    error instanceof FsError &&
    /^E[A-Z0-9_]+$/.test(error.code) &&
    Boolean(error.syscall) &&
    (error.directory !== undefined || error.path !== undefined) &&
    error.message.startsWith(`${error.code}: `);
  return {
    complete: false,
    told: [],
    rejected: {
      name: String(error?.name),
      code: String(error?.code),
      message: String(error?.message ?? thrown),
      structured,
    },
  };
}

/** A problem of a report: its message has to be whole too, and name what it is about. */
export function tell(path: string, { code, message }: { readonly code: string; readonly message: string }): Told {
  return { path, code, message };
}
