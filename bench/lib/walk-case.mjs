import { corpus, warm } from './corpus.mjs';
import { settle } from './machine.mjs';
import { finished, interleave } from './rounds.mjs';
import { listing, trial } from './trial.mjs';

export function walkCase(definition, drivers, options) {
  const { agreeing, others } = whoAgrees(definition, drivers, options);
  const root = corpus(definition.corpus, options.scale, options.place);
  warm(root);
  const small = corpus('small', 0.1, options.place);
  const context = { cold: definition.cold ?? false, warmUp: small };
  const trials = interleave(agreeing, options, (driver) => {
    if (context.cold) settle(context);
    return trial(driver, [root], context, options);
  });
  const { results, failures } = finished(trials);
  return { results, excluded: [...others, ...failures] };
}

/** Checked on a small corpus: a walk that leaves entries out is none to compare with. */
function whoAgrees(definition, drivers, options) {
  const root = corpus(definition.corpus, definition.corpus === 'deep' ? 1 : 0.02, options.place);
  const [reference, ...rest] = drivers.filter((driver) => driver.load || driver.listing);
  if (reference === undefined) return { agreeing: drivers, others: [] };
  const expected = new Set(listing(reference, root, options));
  const others = [];
  const wrong = new Set();
  for (const driver of rest) {
    const found = listing(driver, root, options);
    const extra = found.filter((line) => !expected.has(line)).length;
    const missing = expected.size - (found.length - extra);
    if (extra === 0 && missing === 0) continue;
    wrong.add(driver);
    others.push(`${driver.name} (of ${expected.size} entries ${missing} missing, ${extra} wrong)`);
  }
  return { agreeing: drivers.filter((driver) => !wrong.has(driver)), others };
}
