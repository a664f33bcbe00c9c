import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { capabilities } from 'dirfd';
import { fileSystems, mounted } from '../fixtures/mounts.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { isRoot, requireOrdinaryUser, requireTool } from '../fixtures/tools.js';
import { dirfd, jsonLines, onTerminal } from './run-command.js';

interface Check {
  readonly name: string;
  readonly works: boolean;
  readonly detail?: string;
}
interface Report {
  readonly features: unknown;
  readonly fdLimit: number;
  readonly directory: { path: string; fileSystem: string; mountPoint?: string; untried?: string; checks: Check[] };
}

function diagnose(directory: string): Report {
  const { status, stdout, stderr } = dirfd(['doctor', '--json', directory]);
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  const lines = jsonLines(stdout);
  assert.equal(lines.length, 1);
  return lines[0] as unknown as Report;
}

const works = (report: Report, name: string) => report.directory.checks.find((check) => check.name === name)?.works;

describe('dirfd doctor', () => {
  test('tells what capabilities() tells', (t) => {
    const report = diagnose(temporaryDirectory(t));
    assert.deepEqual(report.features, capabilities().features);
    assert.equal(report.fdLimit, capabilities().fdLimit);
  });

  test('tries the directory and leaves nothing behind', (t) => {
    const directory = temporaryDirectory(t);
    const report = diagnose(directory);
    assert.equal(report.directory.path, directory);
    assert.ok(report.directory.checks.length > 10);
    for (const basic of ['symlinks', 'hard links', 'FIFOs']) assert.equal(works(report, basic), true, basic);
    assert.deepEqual(readdirSync(directory), []);
  });

  test('tells an ordinary user what only root may', (t) => {
    if (!requireOrdinaryUser(t)) return;
    const report = diagnose(temporaryDirectory(t));
    assert.equal(works(report, 'setting the owner'), false);
    assert.equal(works(report, 'device nodes'), false);
  });

  test('tells why a directory could not be tried', (t) => {
    const report = diagnose('/proc/self');
    assert.ok(report.directory.untried, 'procfs has no mkdir');
    assert.deepEqual(report.directory.checks, []);
    assert.equal(report.directory.fileSystem, 'proc');
    assert.match(dirfd(['doctor', '/proc/self']).stdout, /^ {2}not tried: /m);
    t.diagnostic(report.directory.untried);
  });

  for (const type of fileSystems) {
    test(`knows ${type} and whether it clones`, (t) => {
      const point = mounted(t, type);
      if (point === undefined) return;
      const report = diagnose(point);
      assert.equal(report.directory.fileSystem, type);
      assert.equal(report.directory.mountPoint, point);
      if (type === 'btrfs') assert.equal(works(report, 'reflink (FICLONE)'), true);
      if (type === 'ext4' || type === 'tmpfs') assert.equal(works(report, 'reflink (FICLONE)'), false);
    });
  }

  test('says yes and no in colours on a terminal, and without them where NO_COLOR is set', (t) => {
    if (!requireTool(t, 'script')) return;
    const directory = temporaryDirectory(t);
    assert.ok(onTerminal(['doctor', directory]).stdout.includes('\x1b[32myes\x1b[39m'));
    assert.ok(!onTerminal(['doctor', directory], { NO_COLOR: '1' }).stdout.includes('\x1b'));
    assert.ok(!dirfd(['doctor', directory]).stdout.includes('\x1b'));
  });

  test('follows the symlink it is given, and shows odd names without their controls', (t) => {
    const directory = temporaryDirectory(t);
    mkdirSync(join(directory, 'real'));
    symlinkSync('real', join(directory, 'link\x1b[31m'));
    const { status, stdout } = dirfd(['doctor', join(directory, 'link\x1b[31m')]);
    assert.equal(status, 0);
    assert.match(stdout, /link\\e\[31m/);
  });

  test('says who asks', () => {
    assert.match(dirfd(['doctor']).stdout, isRoot() ? /, root$/m : /, user \d+$/m);
  });
});
