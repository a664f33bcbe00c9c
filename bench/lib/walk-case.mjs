import { join } from 'node:path';
import { corpus, fillCorpus, warm } from './corpus.mjs';
import { freshFileSystem } from './images.mjs';
import { latencyFileSystem } from './latency.mjs';
import { settle } from './machine.mjs';
import { finished, interleave, reasonIn } from './rounds.mjs';
import { listing, trial } from './trial.mjs';

export function walkCase(definition, drivers, options) {
  const { agreeing, others } = whoAgrees(definition, drivers, options);
  const fresh =
    definition.fileSystem && freshFileSystem(definition.fileSystem, 0.5 + 1.2 * options.scale, options.images);
  const source = fresh ? join(fresh.point, 'tree') : corpus(definition.corpus, options.scale, options.place);
  if (fresh) fillCorpus(definition.corpus, options.scale, source);
  warm(source);
  const latency = definition.latency && latencyFileSystem(source, definition.latency, options.place);
  const root = latency?.point ?? source;
  const small = corpus('small', 0.1, options.place);
  const context = { cold: definition.cold ?? false, warmUp: small };
  const trials = interleave(agreeing, options, (driver) => {
    if (context.cold) settle(context);
    return trial(driver, [root], context, options);
  });
  latency?.release();
  fresh?.release();
  const { results, failures } = finished(trials);
  return { results, excluded: [...others, ...failures] };
}

/** Checked on a small corpus: a walk that leaves entries out is none to compare with. */
function whoAgrees(definition, drivers, options) {
  const root = corpus(definition.corpus, definition.corpus === 'deep' ? 1 : 0.02, options.place);
  const [reference, ...rest] = drivers.filter((driver) => driver.load || driver.listing);
  if (reference === undefined) return { agreeing: drivers, others: [] };
  const expected = new Set(listing(reference, root, options));
  const names = new Set([...expected].map((line) => line.split('\0')[0]));
  const others = [];
  const wrong = new Set();
  for (const driver of rest) {
    const known = driver.namesOnly ? names : expected;
    const found = whatIsListed(driver, root, options);
    if (typeof found === 'string') {
      wrong.add(driver);
      others.push(`${driver.name} (${found})`);
      continue;
    }
    const extra = found.filter((line) => !known.has(line)).length;
    const missing = expected.size - (found.length - extra);
    if (extra === 0 && missing === 0) continue;
    wrong.add(driver);
    others.push(`${driver.name} (of ${expected.size} entries ${missing} missing, ${extra} wrong)`);
  }
  return { agreeing: drivers.filter((driver) => !wrong.has(driver)), others };
}

/** Lines, or why there are none. A name alone may show that it is a directory's. */
function whatIsListed(driver, root, options) {
  try {
    const lines = listing(driver, root, options);
    return driver.namesOnly ? lines.map((line) => line.replace(/\/$/, '')) : lines;
  } catch (error) {
    return reasonIn(error.message);
  }
}
