// What a figure means nothing without: kernel, file system, processor, Node, commit, versions of peers.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

export function machine({ place, images = place, node, scale, rounds }) {
  for (const directory of [place, images]) mkdirSync(directory, { recursive: true });
  const json = {
    kernel: `Linux ${release()} ${process.arch}`,
    processor: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    corpora: fileSystemOf(place),
    images: fileSystemOf(images),
    node: said(node, ['--version']),
    commit: said('git', ['-C', root, 'describe', '--always', '--dirty']),
    tools: ['find', 'bfs', 'cp', 'rsync', 'tar'].map(version).filter(Boolean).join('; '),
    peers: peerVersions(),
    scale,
    rounds,
  };
  const lines = Object.entries(json).map(([name, value]) => `${name.padEnd(11)} ${value}`);
  return { json, lines };
}

function fileSystemOf(directory) {
  return said('findmnt', ['-n', '-f', '-o', 'FSTYPE,OPTIONS', '-T', directory]).replace(/\s+/g, ' ');
}

function said(command, args) {
  const { stdout, error } = spawnSync(command, args, { encoding: 'utf8' });
  return error ? 'unknown' : stdout.trim();
}

function version(tool) {
  const first = said(tool, ['--version']).split('\n')[0];
  return first === 'unknown' ? undefined : first.replace(/ +/g, ' ').replace(/(version|protocol).*?([\d.]+).*/, '$2');
}

function peerVersions() {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'bench', 'package.json'), 'utf8'));
  const found = Object.keys(dependencies).map((name) => {
    try {
      const path = join(root, 'bench', 'node_modules', name, 'package.json');
      return `${name} ${JSON.parse(readFileSync(path, 'utf8')).version}`;
    } catch {
      return undefined;
    }
  });
  return found.filter(Boolean).join(', ') || 'none installed (npm run bench:install)';
}

/** Everything dirty written out, and for cold trials everything cached dropped. */
export function settle({ cold = false } = {}) {
  execFileSync('sync');
  if (cold) execFileSync('sh', ['-c', 'echo 3 > /proc/sys/vm/drop_caches']);
}
