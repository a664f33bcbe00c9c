import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { makeProgram } from '#dist/cli/program.js';

const document = readFileSync('docs/cli.md', 'utf8');
const program = await makeProgram();

/** The part of docs/cli.md below `## dirfd NAME`. */
function sectionOf(name: string): string {
  return document.split(/^## /m).find((section) => section.startsWith(`dirfd ${name}`)) ?? '';
}

describe('docs/cli.md', () => {
  for (const command of program.commands) {
    test(`documents every option of dirfd ${command.name()}, and none that it lacks`, () => {
      const section = sectionOf(command.name());
      const all = [command, ...command.commands];
      const options = all.flatMap((each) => each.createHelp().visibleOptions(each));
      const hidden = all.flatMap((each) => each.options);
      const flags = new Set([...options, ...hidden].flatMap(({ short, long }) => [short, long]));
      const common = sectionOf('COMMAND');
      for (const { short, long } of options) {
        for (const flag of [short, long]) {
          if (flag === undefined) continue;
          assert.match(section + common, new RegExp(`\`${flag}[\`=]`), `${flag} of dirfd ${command.name()}`);
        }
      }
      for (const [, flag] of section.matchAll(/`(-{1,2}[a-zA-Z0-9][\w-]*)(?=[`=])/g)) {
        assert.ok(flags.has(flag), `docs/cli.md documents ${flag}, which dirfd ${command.name()} lacks`);
      }
    });
  }
});
