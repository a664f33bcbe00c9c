// npm run bench:syscalls -- [walk|copy…] [--scale N] [--peers]: every syscall of a job, counted by strace.
//
// What Node does to start, and to load dirfd, is left out: the job stands between two marks, which are
// access(2) calls on names that do not exist. With --peers, cp, rsync and find are counted whole.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { corpus } from './lib/corpus.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    scale: { type: 'string', default: '0.05' },
    place: { type: 'string', default: join((await import('node:os')).tmpdir(), 'dirfd-bench') },
    peers: { type: 'boolean', default: false },
  },
});
const jobs = positionals.length > 0 ? positionals : ['walk', 'copy'];

mkdirSync(values.place, { recursive: true });
const scratch = mkdtempSync(join(values.place, 'syscalls-'));
try {
  const source = corpus('small', Number(values.scale), values.place);
  const entries = count(source, []);
  const files = count(source, ['-type', 'f']);
  console.log(`${entries} entries, ${files} of them regular files`);
  if (jobs.includes('walk')) {
    report('dirfd walk()', traceNode(walkScript(source)), { entries });
    if (values.peers) report('find -printf', traceCommand(['find', source, '-printf', '%p %s %m\\n']), { entries });
  }
  if (jobs.includes('copy')) {
    report('dirfd copyTree()', traceNode(copyScript(source, join(scratch, 'dirfd'))), { entries, files });
    if (values.peers) {
      report('cp -a', traceCommand(['cp', '-aT', source, join(scratch, 'cp')]), { entries, files });
      report('rsync -aHAX', traceCommand(['rsync', '-aHAX', `${source}/`, join(scratch, 'rsync')]), { entries, files });
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function walkScript(source) {
  return `import { walk } from ${dirfd()};
    begin(); for await (const entry of walk(${JSON.stringify(source)})) entry.stat; end();`;
}

function copyScript(source, destination) {
  return `import { copyTree } from ${dirfd()};
    begin(); await copyTree(${JSON.stringify(source)}, ${JSON.stringify(destination)}); end();`;
}

function dirfd() {
  return JSON.stringify(new URL('../dist/index.js', import.meta.url).href);
}

function traceNode(script) {
  const marks = `import { accessSync } from 'node:fs';
    const mark = (label) => { try { accessSync('/dirfd-mark-' + label); } catch {} };
    const begin = () => mark('begin'), end = () => mark('end');`;
  const text = trace([process.execPath, '--input-type=module', '-e', `${marks}\n${script}`]);
  const from = text.indexOf('\n', text.indexOf('"/dirfd-mark-begin"'));
  const to = text.lastIndexOf('\n', text.indexOf('"/dirfd-mark-end"'));
  return text.slice(from, to);
}

function traceCommand(command) {
  return trace(command);
}

function trace(command) {
  const output = join(scratch, 'trace');
  const args = ['-f', '-qq', '-s', '64', '--signal=none', '-o', output, '--', ...command];
  const { status, stderr, error } = spawnSync('strace', args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (error) throw new Error('strace is needed');
  if (status !== 0) throw new Error(`${command[0]} failed under strace: ${stderr}`);
  return readFileSync(output, 'latin1');
}

function report(title, text, per) {
  const counts = new Map();
  // A call cut in two by another thread is counted where it begins.
  for (const [, call] of text.matchAll(/^\d+ +(\w+)\(/gm)) counts.set(call, (counts.get(call) ?? 0) + 1);
  const rows = [...counts].sort((a, b) => b[1] - a[1]);
  const total = rows.reduce((sum, [, times]) => sum + times, 0);
  const units = Object.keys(per);
  console.log(
    `\n## ${title}\n\n| call | count | ${units.map(unitName).join(' | ')} |\n|---|---|${'---|'.repeat(units.length)}`,
  );
  for (const [call, times] of [...rows, ['all', total]]) {
    console.log(`| ${call} | ${times} | ${units.map((unit) => (times / per[unit]).toFixed(3)).join(' | ')} |`);
  }
}

function unitName(unit) {
  return unit === 'entries' ? 'per entry' : 'per regular file';
}

function count(directory, tests) {
  const { stdout } = spawnSync('find', [directory, '-mindepth', '1', ...tests, '-printf', '.'], { encoding: 'utf8' });
  return stdout.length;
}
