// The two command lines of README.md, which tests and .ci/run take from there, so that what is promised is what is run.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

/** The shell line between `<!-- name -->` and `<!-- end -->`; there must be exactly one such place. */
export function commandInReadme(name: 'run-command' | 'test-command'): string {
  const place = new RegExp(`^<!-- ${name} -->\n\`\`\`sh\n(.*)\n\`\`\`\n<!-- end -->$`, 'gm');
  const found = [...readFileSync('README.md', 'utf8').matchAll(place)];
  assert.equal(found.length, 1, `README.md has one place for ${name}, of one line`);
  return found[0]![1]!;
}
