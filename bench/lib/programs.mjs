// The C programs of bench/native, compiled on first use into build/bench.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-pthread'];

export function program(name) {
  const source = join(root, 'bench', 'native', `${name}.c`);
  const built = join(root, 'build', 'bench', name);
  if (existsSync(built) && statSync(built).mtimeMs > statSync(source).mtimeMs) return built;
  mkdirSync(join(root, 'build', 'bench'), { recursive: true });
  execFileSync('cc', [...flags, '-o', built, source, ...librariesOf(name)], { stdio: 'inherit' });
  return built;
}

function librariesOf(name) {
  if (name.startsWith('ring_')) return ['-luring'];
  if (name !== 'latency_fs') return ['-lm'];
  return execFileSync('pkg-config', ['--cflags', '--libs', 'fuse3'], { encoding: 'utf8' }).trim().split(/\s+/);
}
