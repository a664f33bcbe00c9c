import assert from 'node:assert/strict';
import { openSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { makeProgram } from '#dist/cli/program.js';
import { attempt } from '../fixtures/command.js';
import { requireTool } from '../fixtures/tools.js';
import { command, dirfd } from './run-command.js';

const program = await makeProgram();
const names = program.commands.map((command) => command.name());

test('--version prints the version of the package alone', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const flag of ['--version', '-V']) assert.deepEqual(ended(dirfd([flag])), [0, `${version}\n`, '']);
});

test('--help lists every command and the exit codes', () => {
  const { status, stdout, stderr } = dirfd(['--help']);
  assert.equal(status, 0);
  assert.equal(stderr, '');
  for (const name of names) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
  assert.match(stdout, /0 all done, 1 failed, 2 wrong usage, 23 partial/);
});

test('without arguments the help goes to standard error, as wrong usage', () => {
  const { status, stdout, stderr } = dirfd([]);
  assert.equal(status, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /^Usage: dirfd COMMAND/);
});

for (const name of names) {
  describe(`dirfd ${name}`, () => {
    test('--help has usage, options and examples, and fits in 80 columns', () => {
      const { status, stdout, stderr } = dirfd([name, '--help'], { env: { COLUMNS: '80' } });
      assert.equal(status, 0);
      assert.equal(stderr, '');
      assert.match(stdout, new RegExp(`^Usage: dirfd ${name} `));
      assert.match(stdout, /^Options:|^[A-Z].*:$/m);
      assert.match(stdout, /^Examples:$/m);
      const [usage, examples = ''] = stdout.split('Examples:');
      for (const line of usage!.split('\n')) assert.ok(line.length <= 80, line);
      for (const line of examples.split('\n').filter((each) => each.includes(' dirfd ')))
        assert.match(line, /dirfd \w+/);
      assert.equal(dirfd(['help', name]).stdout, stdout);
    });

    test('an unknown option is wrong usage, told on one line with a suggestion', () => {
      const { status, stdout, stderr } = dirfd([name, '--debgu']);
      assert.equal(status, 2);
      assert.equal(stdout, '');
      assert.equal(
        stderr,
        `dirfd ${name}: unknown option '--debgu'. Did you mean --debug?\nTry 'dirfd ${name} --help'.\n`,
      );
    });

    if (!takesAnyNumber(name)) {
      test('too many arguments are wrong usage', () => {
        const { status, stderr } = dirfd([name, ...Array(5).fill('bash')]);
        assert.equal(status, 2);
        assert.match(stderr, isGroup(name) ? /unknown command 'bash'/ : /too many arguments/);
      });
    }
  });
}

test('help is found however deep, and a command that there is not has none', () => {
  assert.match(dirfd(['help', 'transaction', 'apply']).stdout, /^Usage: dirfd transaction apply /);
  for (const args of [
    ['nosuch', '--help'],
    ['help', 'nosuch'],
  ]) {
    assert.deepEqual(ended(dirfd(args)), [2, '', "dirfd: unknown command 'nosuch'\nTry 'dirfd --help'.\n"]);
  }
});

test('an unknown command is wrong usage, with a suggestion', () => {
  assert.deepEqual(ended(dirfd(['dokter'])), [
    2,
    '',
    "dirfd: unknown command 'dokter'. Did you mean doctor?\nTry 'dirfd --help'.\n",
  ]);
});

test('a failure is one line that names the call and the path; the stack comes when asked for', () => {
  const { status, stdout, stderr } = dirfd(['doctor', '/no/such\ndirectory']);
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.equal(stderr, "dirfd doctor: ENOENT: no such file or directory, openat '/no/such\\ndirectory'\n");
  for (const shown of [
    dirfd(['doctor', '--debug', '/nowhere']),
    dirfd(['doctor', '/nowhere'], { env: { DIRFD_DEBUG: '1' } }),
  ]) {
    assert.equal(shown.status, 1);
    assert.match(shown.stderr, /^dirfd doctor: ENOENT.*\n.*FsError: ENOENT.*\n {4}at /);
  }
});

test('a reader that goes away is no failure', (t) => {
  if (!requireTool(t, 'bash')) return;
  for (const args of ['walk --help', '--help', 'complete bash', '--version']) {
    const script = `"$0" "$1" ${args} | true; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = attempt('bash', ['-c', script, process.execPath, command]);
    assert.deepEqual([stdout, stderr], ['0\n', ''], args);
  }
});

test('standard output that takes nothing is a failure', () => {
  const full = dirfd(['complete', 'bash'], { stdio: ['ignore', openFull(), 'pipe'] });
  assert.equal(full.status, 1);
  assert.match(full.stderr, /^dirfd complete: ENOSPC: .*\(standard output\)\n$/);
});

test('it works with standard input and standard error closed', () => {
  const { status, stdout } = dirfd(['--help'], { stdio: ['ignore', 'pipe', 'ignore'] });
  assert.equal(status, 0);
  assert.match(stdout, /^Usage/);
});

/** Its first argument is a command. */
function isGroup(name: string): boolean {
  return program.commands.find((command) => command.name() === name)!.commands.length > 0;
}

function takesAnyNumber(name: string): boolean {
  return program.commands.find((command) => command.name() === name)!.registeredArguments.some((each) => each.variadic);
}

function openFull(): number {
  return openSync('/dev/full', 'w');
}

function ended({ status, stdout, stderr }: ReturnType<typeof dirfd>) {
  return [status, stdout, stderr];
}
