/** A failure that is an answer: nothing is there, or it is of another kind. */

import { FsError } from '../errors.js';

/** @returns undefined where the outcome is a failure with this code; any other is thrown */
export async function unless<T>(code: string, outcome: Promise<T>): Promise<T | undefined> {
  try {
    return await outcome;
  } catch (error) {
    if (error instanceof FsError && error.code === code) return undefined;
    throw error;
  }
}
