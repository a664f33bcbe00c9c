/** How a command ends. 23 and 24 are rsync's, so that scripts which call it need not learn new ones. */

export const EXIT = {
  done: 0,
  /** Nothing, or not the whole job, was done: the message says why. */
  failed: 1,
  usage: 2,
  /** All but some entries: each failure is listed. */
  partial: 23,
  /** Entries of the source vanished while it was read; all else was done. */
  vanished: 24,
  /** 128 + SIGINT. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
