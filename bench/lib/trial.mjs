// One process a trial. `job` and `jobCpu` are the seconds of the work alone, as the process itself clocks it after
// its modules are loaded; `wall`, CPU and memory are those of the whole process, told by measure.c.
// A command line tool has no such clock: its job is its wall time.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from './programs.mjs';

// Certificates that a machine hands to every Node cost each start more processor time than Node itself takes.
const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;

const harness = join(import.meta.dirname, 'harness.mjs');

/** Runs one driver once; throws with what it said when it fails. */
export function trial(driver, args, context, { node, place }) {
  const directory = mkdtempSync(join(tmpdir(), 'dirfd-trial-'));
  const result = join(directory, 'result.json');
  const command = driver.command
    ? driver.command(...args, context)
    : [node, harness, driver.path, JSON.stringify(context), ...args];
  const sink = openSync('/dev/null', 'w');
  try {
    const { status, stderr } = spawnSync(program('measure'), [result, ...command], {
      stdio: ['ignore', sink, 'pipe'],
      encoding: 'utf8',
      cwd: place,
      env: environment,
    });
    if (status !== 0) throw new Error(`${driver.name} failed (${status}): ${stderr.trim().slice(-600)}`);
    const { wall, user, system, peakKiB } = JSON.parse(readFileSync(result, 'utf8'));
    const job = Number(/"job":([\d.]+)/.exec(stderr)?.[1] ?? wall);
    const jobCpu = Number(/"jobCpu":([\d.]+)/.exec(stderr)?.[1] ?? user + system);
    return { job, jobCpu, wall, cpu: user + system, peakMiB: peakKiB / 1024 };
  } finally {
    closeSync(sink);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What a walk driver finds, one `path\0size\0mode` a line, sorted. */
export function listing(driver, root, { node }) {
  const command = driver.listing ? driver.listing(root) : [node, harness, driver.path, '{"list":true}', root];
  const { status, stdout, stderr } = spawnSync(command[0], command.slice(1), {
    encoding: 'latin1',
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(`${driver.name} failed (${status}): ${stderr.trim().slice(-600)}`);
  return stdout.split('\n').filter(Boolean).sort();
}
