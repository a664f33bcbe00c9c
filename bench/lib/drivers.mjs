// Which drivers can run here, and why the others cannot: an absent peer is named, never left out.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', 'drivers');

export async function loadDrivers(definition, options) {
  const ready = [];
  const absent = [];
  for (const file of readdirSync(join(folder, definition.kind)).sort()) {
    const id = file.replace('.mjs', '');
    if (options.drivers && !options.drivers.includes(id)) continue;
    if (options.without.includes(id)) continue;
    const path = join(folder, definition.kind, file);
    const driver = { id, path, ...(await import(path)) };
    if (driver.cases && !driver.cases.includes(definition.name)) continue;
    const reason = whyAbsent(driver, definition, options);
    if (reason === undefined) ready.push(driver);
    else absent.push(`${driver.name} (${reason})`);
  }
  return { ready, absent };
}

function whyAbsent(
  { tool, peer, nodeMajor = 0, repeats = true, fsyncs = false },
  { again = false, fsync = false },
  { node },
) {
  if (fsync && !fsyncs) return 'has no fsync of each file';
  if (again && !repeats) return 'has no second run that skips what is unchanged';
  if (tool !== undefined && spawnSync(tool, ['--version']).error) return 'not installed';
  if (peer !== undefined && !existsSync(join(folder, '..', 'node_modules', peer))) return 'not installed';
  const major = Number(spawnSync(node, ['-p', 'process.versions.node']).stdout.toString().split('.')[0]);
  return major < nodeMajor ? `needs Node ${nodeMajor}` : undefined;
}
