// npm run faults -- [options]: sweeps faults through every subject and prints what came of them. Exit code 1 where something is not as it
// should be; each such point is printed with the words that run it alone.
import { parseArgs } from 'node:util';
import { quickTemporaryRoot } from '../fixtures/temporary.js';
import { sweepControl } from './control.js';
import { faultFrom, faultsOf, type Selection } from './faults.js';
import { DEFECTS, GOOD } from './outcome.js';
import { Place } from './place.js';
import { subjectNamed, subjects } from './subjects.js';
import { Sweep } from './sweep.js';
import { Tally } from './tally.js';
import { unknownFeatures } from './unknown-calls.js';

const usage = `npm run faults -- [--subject NAME]… [--errnos first|all|none] [--kill] [--sample N] [--seed N] [--root DIR] [--point WORDS] [--control] [--verbose]

  --subject   ${subjects.map(({ name }) => name).join(', ')}; by default all
  --errnos    how many a call: its likeliest (default), or every plausible one
  --kill      also SIGKILL at every call, and the next run after it
  --sample    so many faults of each subject, drawn by --seed
  --root      where: by default in memory; elsewhere another file system's calls are swept
  --point     one fault, as a table of defects tells it
  --control   cp -a instead, under the same judge: it has to be found wanting
  --verbose   every outcome

Outcomes:
${Object.entries({ ...GOOD, ...DEFECTS })
  .map(([name, meaning]) => `  ${name.padEnd(14)}${meaning}`)
  .join('\n')}`;

const { values: options } = parseArgs({
  options: {
    subject: { type: 'string', multiple: true, default: [] },
    errnos: { type: 'string', default: 'first' },
    kill: { type: 'boolean', default: false },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    root: { type: 'string', default: quickTemporaryRoot() },
    point: { type: 'string' },
    control: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (options.help) console.log(usage);
else process.exitCode = (options.control ? controlFails() : await sweepAll()) ? 0 : 1;

async function sweepAll(): Promise<boolean> {
  const tally = new Tally();
  const chosen = options.subject.length > 0 ? options.subject.map(subjectNamed) : subjects;
  for (const subject of chosen) {
    const reason = subject.unavailable?.();
    if (reason !== undefined) {
      console.log(`${subject.name} is left out: ${reason}`);
      continue;
    }
    const place = await Place.make(subject, options.root);
    const sweep = new Sweep(subject, place);
    try {
      const faults = options.point
        ? [faultFrom(options.point)]
        : faultsOf(await sweep.points(), { ...selection(), kill: options.kill && subject.writes });
      for (const fault of faults) {
        const outcome = await sweep.inject(fault);
        tally.add(subject.name, fault, outcome);
        const words = `${fault.thread ?? '*'} ${fault.call} ${fault.nth} ${fault.fault}`;
        if (options.verbose)
          console.log(subject.name, words, fault.about, outcome.is, ...outcome.details.map((line) => `\n    ${line}`));
      }
    } finally {
      await sweep.end();
      place.remove();
    }
  }
  if (unknownFeatures.length > 0) console.log(`this strace is too old to inject into: ${unknownFeatures.join(', ')}\n`);
  console.log(tally.table());
  for (const defect of tally.defects) console.log(`\n✖ ${defect}`);
  return tally.defects.length === 0;
}

/** True where the judge found what is known to be there. */
function controlFails(): boolean {
  const tally = new Tally();
  sweepControl(options.root, /./, (fault, outcome) => tally.add('cp -a', fault, outcome));
  console.log(tally.table());
  for (const defect of tally.defects) console.log(`\n✖ ${defect}`);
  return tally.defects.some((defect) => defect.startsWith('silent'));
}

function selection(): Selection {
  return {
    errnos: options.errnos as Selection['errnos'],
    kill: options.kill,
    sample: options.sample === undefined ? undefined : Number(options.sample),
    seed: Number(options.seed),
  };
}
