// Another process that locks: told what to do as a script, heard by lines on its standard output.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { repositoryRoot } from '../fixtures/repository.js';
import type { TestLike } from '../fixtures/temporary.js';

export interface Child {
  readonly process: ChildProcess;
  /** Resolves when the child has said so. */
  says(line: string): Promise<void>;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** Runs a module in which `directory` is the path given, `say` prints a line and `until` waits for a line; killed after the test. */
export function child(t: Pick<TestLike, 'after'>, directory: string, script: string): Child {
  const prelude = `
    import { FileLock, LockManager, withLockOwner } from 'dirfd/lock';
    const directory = ${JSON.stringify(directory)};
    const say = (line) => process.stdout.write(line + '\\n');
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  `;
  const started = spawn(process.execPath, ['--input-type=module', '-e', prelude + script], {
    cwd: repositoryRoot,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => void started.kill('SIGKILL'));
  const heard: string[] = [];
  let onLine = () => {};
  createInterface({ input: started.stdout }).on('line', (line) => {
    heard.push(line);
    onLine();
  });
  const ended = once(started, 'close').then(([code, signal]) => {
    onLine();
    return code ?? signal;
  });
  const says = async (line: string) => {
    while (!heard.includes(line)) {
      assert.equal(started.exitCode ?? started.signalCode, null, `ended without saying '${line}', but ${heard}`);
      await new Promise<void>((resolve) => {
        onLine = resolve;
      });
    }
    heard.splice(heard.indexOf(line), 1);
  };
  return { process: started, says, ended };
}
