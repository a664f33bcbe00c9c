// A test reporter that writes one JSON object at the end: how many passed, failed and were skipped, which failed and why, the reason of
// each skip, and how long each file took. scripts/test.mjs adds these up over the variants.

export default async function* count(source) {
  const result = { passed: 0, failed: 0, failures: [], skips: {}, milliseconds: {} };
  const said = new Map();
  for await (const { type, data } of source) {
    if (type === 'test:stdout' || type === 'test:stderr')
      said.set(data.file, (said.get(data.file) ?? '') + data.message);
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    if (data.nesting === 0)
      result.milliseconds[data.file] = (result.milliseconds[data.file] ?? 0) + data.details.duration_ms;
    if (data.skip !== undefined) {
      const reason =
        typeof data.skip === 'string' && data.skip !== '' ? data.skip : `no reason given by "${data.name}"`;
      result.skips[reason] = (result.skips[reason] ?? 0) + 1;
    } else if (type === 'test:fail') {
      // A failed suite or parent only repeats what its children said.
      const repeats = data.details.error?.failureType === 'subtestsFailed';
      if (repeats) continue;
      result.failed += 1;
      result.failures.push({
        name: data.name,
        file: data.file,
        why: explain(data.details.error),
        said: said.get(data.file),
      });
    } else if (data.details?.type !== 'suite') {
      result.passed += 1;
    }
  }
  yield JSON.stringify(result);
}

function explain(error) {
  const cause = error?.cause ?? error;
  return cause?.stack ?? cause?.message ?? String(cause);
}
