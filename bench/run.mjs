// npm run bench -- [case…] [options]: peers side by side on the same input, in interleaved rounds.
//
//   run.mjs            this file: which cases, and in what order
//   cases/             one case a file: which corpus, which file system, warm or cold
//   drivers/           one peer a file: how it walks, how it copies
//   lib/walk-case.mjs  lib/copy-case.mjs    prepare, check that all agree, time the rounds
//   lib/trial.mjs      one process a trial, measured from outside by native/measure.c
//   lib/report.mjs     medians, spread, ratios
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { copyCase } from './lib/copy-case.mjs';
import { loadDrivers } from './lib/drivers.mjs';
import { machine } from './lib/machine.mjs';
import { parseOptions } from './lib/options.mjs';
import { reportCase } from './lib/report.mjs';
import { walkCase } from './lib/walk-case.mjs';

const here = import.meta.dirname;
const allCases = readdirSync(join(here, 'cases')).map((file) => file.replace('.mjs', ''));
const options = parseOptions(process.argv.slice(2), allCases);

const about = machine(options);
console.log(about.lines.join('\n'));

const results = [];
for (const name of options.cases) {
  const definition = { name, ...(await import(`./cases/${name}.mjs`)).default };
  const { ready, absent } = await loadDrivers(definition, options);
  const run = definition.kind === 'walk' ? walkCase : copyCase;
  const { results: timed, excluded } = run(definition, ready, options);
  const summary = reportCase(definition, timed, { absent, excluded }, options);
  console.log(summary.text);
  results.push({ case: name, ...summary.json });
}

mkdirSync(join(here, 'results'), { recursive: true });
const file = join(here, 'results', `${new Date().toISOString().replace(/[:.]/g, '-')}.json`);
writeFileSync(file, `${JSON.stringify({ machine: about.json, options, results }, null, 2)}\n`);
