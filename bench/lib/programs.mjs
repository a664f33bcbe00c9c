// The C programs of bench/native, compiled on first use into build/bench.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const sources = join(root, 'bench', 'native');
const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror', '-pthread'];

export function program(name) {
  const source = join(sources, `${name}.c`);
  const headers = readdirSync(sources).filter((file) => file.endsWith('.h'));
  const changed = Math.max(
    ...[source, ...headers.map((file) => join(sources, file))].map((file) => statSync(file).mtimeMs),
  );
  const built = join(root, 'build', 'bench', name);
  if (existsSync(built) && statSync(built).mtimeMs > changed) return built;
  mkdirSync(join(root, 'build', 'bench'), { recursive: true });
  execFileSync('cc', [...flags, '-o', built, source, ...librariesOf(name)], { stdio: 'inherit' });
  return built;
}

function librariesOf(name) {
  if (name.startsWith('ring_')) return ['-luring'];
  if (name !== 'latency_fs') return ['-lm'];
  return execFileSync('pkg-config', ['--cflags', '--libs', 'fuse3'], { encoding: 'utf8' }).trim().split(/\s+/);
}
