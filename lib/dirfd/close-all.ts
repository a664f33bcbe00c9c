/** Several things closed, in their order. One that fails to does not keep the others open: nobody would close those any more. */

/** @throws the first failure, when all have been tried */
export async function closeAll(all: Iterable<AsyncDisposable | undefined>): Promise<void> {
  const failures: unknown[] = [];
  for (const each of all) {
    try {
      await each?.[Symbol.asyncDispose]();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
