// The kernel's refusals themselves, not a switch inside dirfd: containers whose seccomp filter does not
// know openat2, and errors that strace injects. The answers stay those of the table.
import assert from 'node:assert/strict';
import { lstatSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { attempt, type Finished } from '../fixtures/command.js';
import { compiled } from '../fixtures/compile.js';
import { isDisabled } from '../fixtures/fallbacks.js';
import { isErrno, type ResolutionMode, resolutionModes, resolverCases } from '../fixtures/resolver-cases.js';
import { createResolverTree } from '../fixtures/resolver-tree.js';
import { withRefused } from '../fixtures/seccomp.js';
import { assertInjected, countCalls, strace } from '../fixtures/strace.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { forms } from './resolve.js';

const asker = join(import.meta.dirname, 'resolve.js');

function ask(root: string, resolution: ResolutionMode): string[] {
  return [process.execPath, asker, root, resolution];
}

function resolverTree(t: TestContext): string {
  const root = join(temporaryDirectory(t), 'tree');
  mkdirSync(root);
  createResolverTree(root);
  return root;
}

function assertAnswersTheTable(ran: Finished, root: string, resolution: ResolutionMode): void {
  assert.equal(ran.status, 0, ran.stderr);
  const answers: unknown = JSON.parse(ran.stdout);
  const expected = resolverCases.flatMap(({ outcomes }) =>
    forms.map((form) => {
      const outcome = outcomes[resolution][form];
      if (isErrno(outcome)) return outcome;
      const { dev, ino } = lstatSync(join(root, outcome), { bigint: true });
      return `${dev} ${ino}`;
    }),
  );
  assert.deepEqual(answers, expected);
}

for (const resolution of resolutionModes) {
  for (const errno of ['ENOSYS', 'EPERM'] as const) {
    test(`a seccomp filter that answers openat2 with ${errno} changes no outcome: ${resolution}`, (t) => {
      const seccomp = compiled(t, 'seccomp');
      if (seccomp === undefined) return;
      const root = resolverTree(t);
      const ran = withRefused(seccomp, errno, ['openat2'], ask(root, resolution));
      assertAnswersTheTable(ran, root, resolution);
    });
  }

  for (const inject of ['ENOSYS', 'EPERM', 'EAGAIN']) {
    test(`openat2 that fails with ${inject} each time changes no outcome: ${resolution}`, (t) => {
      if (!requireTool(t, 'strace') || switchedOff(t)) return;
      const root = resolverTree(t);
      const traced = strace(ask(root, resolution), { trace: [], inject: [`openat2:error=${inject}`] });
      assertInjected(traced, 'openat2');
      assertAnswersTheTable(traced, root, resolution);
      const calls = countCalls(traced.events).get('openat2') ?? 0;
      // A permanent refusal is remembered; EAGAIN is about this one path and this one moment.
      if (inject === 'ENOSYS') assert.ok(calls <= 3, `openat2 was tried ${calls} times although it is not there`);
    });
  }
}

test('a refusal for good is remembered, also as EPERM; EAGAIN is asked again sixteen times at most', (t) => {
  if (!requireTool(t, 'strace') || switchedOff(t)) return;
  const root = resolverTree(t);
  const callsWith = (inject: string) => {
    const traced = strace(ask(root, 'beneath'), { trace: [], inject: [`openat2:error=${inject}`] });
    assertInjected(traced, 'openat2');
    return countCalls(traced.events).get('openat2') ?? 0;
  };
  // Two threads may ask before either has remembered; each EPERM is asked once more, about no path.
  assert.ok(callsWith('ENOSYS') <= 4);
  assert.ok(callsWith('EPERM') <= 8);
  const asked = callsWith('EAGAIN');
  const resolutions = resolverCases.length * forms.length;
  assert.ok(asked > resolutions && asked <= resolutions * 16, `${asked} calls for ${resolutions} resolutions`);
});

test('a single EPERM is about a path, and openat2 stays in use', (t) => {
  if (!requireTool(t, 'strace') || switchedOff(t)) return;
  const root = resolverTree(t);
  const traced = strace(ask(root, 'beneath'), {
    trace: [],
    inject: ['openat2:error=EPERM:when=1'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
  assertInjected(traced, 'openat2');
  assertAnswersTheTable(traced, root, 'beneath');
  const calls = countCalls(traced.events).get('openat2') ?? 0;
  assert.ok(calls > resolverCases.length, `only ${calls} calls: it was given up`);
});

test('openat2 that fails with EAGAIN now and then is asked again', (t) => {
  if (!requireTool(t, 'strace') || switchedOff(t)) return;
  const root = resolverTree(t);
  const traced = strace(ask(root, 'beneath'), { trace: [], inject: ['openat2:error=EAGAIN:when=2+3'] });
  assertInjected(traced, 'openat2');
  assertAnswersTheTable(traced, root, 'beneath');
});

/** In the run without openat2 there is nothing to fail. */
function switchedOff(t: TestContext): boolean {
  const off = isDisabled('openat2');
  if (off) t.skip('openat2 is switched off in this run');
  return off;
}

test('the asker answers the table where nothing is refused', (t) => {
  const root = resolverTree(t);
  const [program = '', ...args] = ask(root, 'in-root');
  assertAnswersTheTable(attempt(program, args), root, 'in-root');
});
