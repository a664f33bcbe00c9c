import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const help = `npm run bench -- [case…] [options]

  --scale N       size of the corpus, 1 is the whole (default 1)
  --rounds N      rounds; in each, every driver runs once (default 5)
  --drivers A,B   only these drivers, by file name: dirfd,find,cp,…
  --without A,B   all drivers but these
  --place DIR     where corpora go (default: dirfd-bench in the temporary directory)
  --images DIR    where loop images go (default: the place); on a tmpfs, no disk stands between the peers
  --node PATH     the Node that runs the drivers (default: this one)
  --list          print the cases

Cases: `;

export function parseOptions(args, allCases) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      scale: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '5' },
      drivers: { type: 'string' },
      without: { type: 'string', default: '' },
      place: { type: 'string', default: join(tmpdir(), 'dirfd-bench') },
      images: { type: 'string' },
      node: { type: 'string', default: process.execPath },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || values.list) {
    console.log(help + allCases.join(', '));
    process.exit(0);
  }
  const unknown = positionals.filter((name) => !allCases.includes(name));
  if (unknown.length > 0) throw new Error(`no such case: ${unknown.join(', ')}; there are ${allCases.join(', ')}`);
  return {
    cases: positionals.length > 0 ? positionals : allCases,
    scale: positive(values.scale, '--scale'),
    rounds: positive(values.rounds, '--rounds'),
    drivers: values.drivers?.split(','),
    without: values.without.split(','),
    place: values.place,
    images: values.images ?? values.place,
    node: values.node,
  };
}

function positive(text, option) {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`${option} wants a number above 0, not ${text}`);
  return number;
}
