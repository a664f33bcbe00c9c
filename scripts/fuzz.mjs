// npm run fuzz -- [NAME…] [--seconds=N]: builds the fuzz targets of test/fuzz with clang's libFuzzer and runs each for so long (60), from the inputs in
// test/fuzz/corpus on. What it finds new it keeps in build/fuzz/found/NAME, not in the corpus; a crash in build/fuzz/crash-*.
//
//   --keep   then puts into the corpus what covers anything that it does not cover yet, and nothing else
//
// Debian: clang, libclang-rt-14-dev.

import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

process.chdir(resolve(import.meta.dirname, '..'));
const build = 'build/fuzz';
const options = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const seconds = Number(options.find((option) => option.startsWith('--seconds='))?.split('=')[1] ?? 60);
const names = readdirSync('test/fuzz/corpus').filter((name) => wanted.length === 0 || wanted.includes(name));
if (names.length === 0 || !Number.isInteger(seconds)) {
  throw new Error(`usage: npm run fuzz -- [${readdirSync('test/fuzz/corpus').join('|')}]… [--seconds=N] [--keep]`);
}

run('cmake', ['-S', '.', '-B', build, '-DDIRFD_FUZZ=ON', '-DCMAKE_CXX_COMPILER=clang++']);
run('cmake', ['--build', build, '--parallel', '2', '--target', 'fuzzers']);
for (const name of names) {
  const [program, found, corpus] = [
    join(build, `fuzz-${name}`),
    join(build, 'found', name),
    `test/fuzz/corpus/${name}`,
  ];
  mkdirSync(found, { recursive: true });
  // Where both are given, new inputs go into the first.
  const limits = [`-max_total_time=${seconds}`, '-max_len=600', `-artifact_prefix=${build}/crash-${basename(name)}-`];
  run(program, [...limits, '-print_final_stats=1', found, corpus]);
  if (options.includes('--keep')) run(program, ['-merge=1', corpus, found]);
}

function run(program, args) {
  console.log(`+ ${program} ${args.join(' ')}`);
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
