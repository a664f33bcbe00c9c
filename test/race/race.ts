// npm run race: operations of dirfd, and of others, while names are exchanged under them.
//
//   arena.ts        the trees and the exchanged pair       outside.ts    the sentinels
//   operations.ts   what is raced                          peers.ts      the red controls
//   harness.ts      one cell of the table                  plan.ts       which cells there are
//   stage.ts        one run of an operation                watchdog.ts   who waits
import { spawnSync } from 'node:child_process';
import { release } from 'node:os';
import { parseArgs } from 'node:util';
import { compiled } from '../fixtures/compile.js';
import { quickTemporaryRoot } from '../fixtures/temporary.js';
import { findTool, isRoot } from '../fixtures/tools.js';
import { unavailable } from './arena.js';
import { race } from './harness.js';
import { operations } from './operations.js';
import { peers } from './peers.js';
import { attacks, cellsOf, control, isRed, type Outcome } from './plan.js';
import { formatRow, heading } from './table.js';

const usage = `Usage: npm run race -- [options]

Exchanges names in a loop while operations run, and looks whether anything outside is read, changed or waited for.

  --minutes N, --seconds N   how long, all together (default 60 seconds)
  --operation WORD           only operations whose name holds the word; may be repeated
  --attack WORD              only attacks whose name holds the word, as in directory-symlink; may be repeated
  --directory DIR            where the trees are made (default: in memory)
  --no-controls              without the peers: nothing then shows that the attacks work
  --help

Exit codes: 0 nothing escaped and nothing hung; 1 something did, or an attack led no peer astray; 2 wrong usage.
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    operation: { type: 'string', multiple: true, default: [''] },
    attack: { type: 'string', multiple: true, default: [''] },
    directory: { type: 'string', default: quickTemporaryRoot() },
    controls: { type: 'boolean', default: true },
    help: { type: 'boolean' },
  },
  allowNegative: true,
});

if (values.help === true) {
  process.stdout.write(usage);
} else if (!isRoot() || process.env.DIRFD_RACE_MOUNTS === 'own' || findTool('unshare') === undefined) {
  process.exitCode = await main();
} else {
  // What is mounted vanishes with the namespace, however this ends.
  const node = [process.execPath, ...process.argv.slice(1)];
  const { status } = spawnSync('unshare', ['--mount', '--propagation', 'private', ...node], {
    stdio: 'inherit',
    env: { ...process.env, DIRFD_RACE_MOUNTS: 'own' },
  });
  process.exitCode = status ?? 1;
}

async function main(): Promise<number> {
  const seconds = Number(values.minutes ?? 0) * 60 + Number(values.seconds ?? (values.minutes === undefined ? 60 : 0));
  const ours = operations.filter(({ name }) => values.operation.some((word) => name.includes(word)));
  const wanted = attacks.filter(({ exchange }) => values.attack.some((word) => exchange.includes(word)));
  const { cells, skipped } = cellsOf(ours, wanted);
  if (!(seconds > 0) || cells.length === 0) {
    process.stderr.write(`race: no time or nothing to do\n${usage}`);
    return 2;
  }
  const flipper = compiled({ skip: (reason) => process.stderr.write(`race: ${reason}\n`) }, 'flipper');
  if (flipper === undefined) return 2;
  const place = { directory: values.directory, flipper };
  const milliseconds = (seconds * 1000 * (values.controls ? 0.8 : 1)) / cells.length;

  console.log(`Linux ${release()}, Node ${process.versions.node}, in ${values.directory}, ${seconds} s\n${heading}`);
  const outcomes: Outcome[] = [];
  for (const cell of cells) {
    const outcome = { ...cell, tally: await race(place, cell.operation, cell.attack, { milliseconds }) };
    outcomes.push(outcome);
    console.log(formatRow(outcome));
  }
  const broken = values.controls ? await controls() : [];
  for (const reason of [...skipped, ...cellsOf(peers, wanted).skipped]) console.log(`skipped: ${reason}`);
  for (const { tally } of outcomes) for (const note of tally.notes) console.log(`✖ ${note}`);
  for (const attack of broken) console.log(`✖ broken: no peer was led astray by ${attack}`);
  const [escapes, hangs, runs] = (['escapes', 'hangs', 'runs'] as const).map((key) =>
    outcomes.reduce((sum, { tally }) => sum + tally[key], 0),
  );
  console.log(`dirfd: ${runs} runs, ${escapes} escapes, ${hangs} hangs`);
  return broken.length > 0 || outcomes.some(({ tally }) => isRed(tally)) ? 1 : 0;

  /** Attacks on a tree that only one side of the operations has are made on that side alone. */
  async function controls(): Promise<string[]> {
    console.log('\nControls, each until it is led astray:');
    const without: string[] = [];
    for (const attack of wanted) {
      if (unavailable(attack) !== undefined || !cells.some((cell) => cell.attack === attack)) continue;
      const works = await control(
        place,
        attack,
        { milliseconds: Math.max(milliseconds / 4, 500), every: true },
        (told) => console.log(formatRow(told)),
      );
      if (!works) without.push(`${attack.exchange} in the ${attack.side}`);
    }
    return without;
  }
}
