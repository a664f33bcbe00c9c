// Runs the compiled tests, once as they are and once per variant: each forced fallback, each file system, each Node, as an
// ordinary user, under sanitizers. A variant that cannot run here is skipped and says why.
//
//   node scripts/test.mjs [--variants=NAME,…] [word…]     words select test files by their path; names may be groups, see below
//
//   DIRFD_TEST_NODES    node programs besides this one, separated by colons, the newest last: it runs more of the tests
//   DIRFD_TEST_STRICT   set by .ci/run: a variant that cannot run is a failure
//
// Ends with one line for all variants: `N passed, N failed, N skipped`.

import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { allVariants, inOwnMounts } from './test/variants.mjs';

const root = resolve(import.meta.dirname, '..');
process.chdir(root);

const words = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const wanted = process.argv
  .find((argument) => argument.startsWith('--variants='))
  ?.split('=')[1]
  ?.split(',');
const variants = allVariants().filter(({ name, group }) => !wanted || wanted.includes(name) || wanted.includes(group));
if (variants.length === 0) throw new Error(`no such variant: ${wanted}; there are ${names(allVariants())}`);

const scratch = mkdtempSync(join(tmpdir(), 'dirfd-tests-'));
let running;
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => stop(signal));
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }));

const totals = { passed: 0, failed: 0, skipped: 0, unavailable: [] };
for (const variant of variants) await runVariant(variant);
conclude();

async function runVariant(variant) {
  const files = testFiles(variant.takes);
  if (files.length === 0 && !variant.commands) return;
  const unavailable = variant.unavailable?.();
  if (unavailable) {
    totals.unavailable.push(`${variant.name}: ${unavailable}`);
    console.log(`\n▷ ${variant.name}: skipped, ${unavailable}`);
    return;
  }
  console.log(`\n▶ ${variant.name}${variant.commands ? '' : `: ${files.length} files`}`);
  const started = Date.now();
  const result = variant.commands ? await runCommands(variant) : await runFiles(variant, files);
  report(result, variant, ((Date.now() - started) / 1000).toFixed(1));
}

/** Commands that must each end with 0; the first that does not ends the variant. Of ctest, its tests are counted. */
async function runCommands(variant) {
  let passed = 0;
  for (const command of variant.commands) {
    const { code, output } = await run(command, variant.env, true);
    const [, failed, tests] = output.match(/(\d+) tests failed out of (\d+)/) ?? [];
    if (code !== 0) {
      const failures = [{ name: command.join(' '), why: `ended with ${code}\n${output}` }];
      return { passed: passed + (tests - failed || 0), failed: Number(failed ?? 1), failures, skips: {} };
    }
    passed += Number(tests ?? 1);
  }
  return { passed, failed: 0, failures: [], skips: {} };
}

async function runFiles(variant, files) {
  const place = mkdtempSync(join(scratch, 'place-'));
  const counted = join(scratch, `${variant.name}.json`);
  writeFileSync(counted, '', { mode: 0o666 });
  chmodSync(counted, 0o666); // whatever the umask: the ordinary user writes it too
  const node = [
    variant.node ?? process.execPath,
    '--test',
    `--test-concurrency=${availableParallelism()}`, // node leaves one core idle
    '--test-timeout=600000', // a test that hangs must end the run, not outlast it; one builds all from a fresh clone
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...['--test-reporter=./scripts/test/count.mjs', `--test-reporter-destination=${counted}`],
    ...files,
  ];
  const { code, output } = await run(
    inOwnMounts(variant.around?.(node, { place }) ?? node, { root, scratch }),
    variant.env,
    variant.name !== 'default',
  );
  try {
    const result = JSON.parse(readFileSync(counted, 'utf8'));
    if (code !== 0 && result.failed === 0)
      result.failures.push({ name: variant.name, why: `ended with ${code}\n${output}` });
    return { ...result, failed: Math.max(result.failed, code === 0 ? 0 : 1) };
  } catch {
    return {
      passed: 0,
      failed: 1,
      failures: [{ name: variant.name, why: `ended with ${code}\n${output}` }],
      skips: {},
    };
  }
}

/** Node's own report is shown as it comes for the first run; of the others, only what failed. */
function isShown(variant) {
  return variant.name === 'default';
}

function run([program, ...args], env, quiet) {
  return new Promise((done, fail) => {
    running = spawn(program, args, {
      stdio: ['ignore', quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '', ...env },
    });
    const output = [];
    running.stdout?.on('data', (chunk) => output.push(chunk));
    running.stderr?.on('data', (chunk) => output.push(chunk));
    running.once('error', fail);
    running.once('close', (code, signal) =>
      done({ code: code ?? signal, output: Buffer.concat(output).toString().slice(-8000) }),
    );
  });
}

function report({ passed, failed, failures, skips, milliseconds }, variant, seconds) {
  for (const { name, file, why, said } of isShown(variant) ? [] : failures) {
    console.log(
      `✖ ${name}${file ? ` (${file})` : ''}\n${indent(why)}${said ? `\n${indent(`said: ${said.slice(-4000)}`)}` : ''}`,
    );
  }
  const skipped = Object.values(skips).reduce((sum, times) => sum + times, 0);
  for (const [reason, times] of Object.entries(skips)) console.log(`  skipped ${times}: ${reason}`);
  console.log(`  ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s${slowest(milliseconds)}`);
  totals.passed += passed;
  totals.failed += failed;
  totals.skipped += skipped;
}

/** What is worth a look when a run takes too long. */
function slowest(milliseconds = {}) {
  const files = Object.entries(milliseconds).filter(([, time]) => time >= 5_000);
  const top = files.sort(([, one], [, other]) => other - one).slice(0, 8);
  if (top.length === 0) return '';
  const named = top.map(([file, time]) => `${nameOf(file)} ${(time / 1000).toFixed(0)}`);
  return `; slowest: ${named.join(', ')}`;
}

/** `copy/races`, wherever the checkout is mounted. */
function nameOf(file) {
  return file.replace(/^.*build\/test\//, '').replace('.test.js', '');
}

function conclude() {
  const strict = process.env.DIRFD_TEST_STRICT === '1' && totals.unavailable.length > 0;
  console.log('');
  for (const reason of totals.unavailable) console.log(`${strict ? '✖' : '▷'} not run: ${reason}`);
  console.log(
    `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped + totals.unavailable.length} skipped`,
  );
  process.exitCode = totals.failed > 0 || strict ? 1 : 0;
}

function testFiles(takes) {
  return readdirSync('build/test', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js') && (takes?.(name) ?? true))
    .filter((name) => words.length === 0 || words.some((word) => name.includes(word)))
    .map((name) => join('build/test', name))
    .sort();
}

function stop(signal) {
  running?.kill(signal);
  rmSync(scratch, { recursive: true, force: true });
  process.exit(130);
}

function indent(text) {
  return text.replace(/^/gm, '    ');
}

function names(list) {
  return [...new Set(list.flatMap(({ name, group }) => (group ? [group, name] : [name])))].join(', ');
}
