import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeProgram } from '#dist/cli/program.js';
import { attempt, run } from '../fixtures/command.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { requireTool } from '../fixtures/tools.js';
import { dirfd } from './run-command.js';

const program = await makeProgram();

/** What bash offers after `line`, asked as readline asks: COMP_WORDS, COMP_LINE, COMP_POINT. */
function offered(line: string): string[] {
  const script = `
    eval "$(cat)"
    COMP_LINE=$1 COMP_POINT=\${#1}
    read -ra COMP_WORDS <<< "$1"; [[ $1 == *' ' ]] && COMP_WORDS+=('')
    COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _dirfd 2> /dev/null
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  return run('bash', ['-c', script, 'bash', line], { input: dirfd(['complete', 'bash']).stdout })
    .split('\n')
    .filter(Boolean);
}

describe('bash', () => {
  test('is offered commands', (t) => {
    if (!requireTool(t, 'bash')) return;
    assert.deepEqual(offered('dirfd doc'), ['doctor']);
    const names = program.commands.map((command) => command.name());
    assert.deepEqual(offered('dirfd ').sort(), [...names, 'help', '--help', '--version'].sort());
  });

  test('is offered every option of every command', (t) => {
    if (!requireTool(t, 'bash')) return;
    for (const command of program.commands) {
      const flags = [command, ...command.commands]
        .flatMap((each) => each.createHelp().visibleOptions(each))
        .flatMap(({ long }) => long ?? []);
      const shown = offered(`dirfd ${command.name()} --`).map((word) => word.replace(/=.*/, ''));
      assert.deepEqual([...new Set(shown)].sort(), [...new Set(flags)].sort());
    }
  });

  test('is offered the words of an argument, and files where files are meant', (t) => {
    if (!requireTool(t, 'bash')) return;
    assert.deepEqual(offered('dirfd complete '), ['bash', 'zsh', 'fish']);
    assert.deepEqual(offered('dirfd complete z'), ['zsh']);
    assert.deepEqual(offered('dirfd doctor /us'), [], 'an empty answer leaves files to bash itself');
    assert.match(dirfd(['complete', 'bash']).stdout, /^complete -o bashdefault -o default -F _dirfd dirfd$/m);
  });
});

for (const shell of ['bash', 'zsh', 'fish']) {
  test(`the script for ${shell} names every command and is valid`, (t) => {
    const { status, stdout } = dirfd(['complete', shell]);
    assert.equal(status, 0);
    for (const command of program.commands) assert.match(stdout, new RegExp(`\\b${command.name()}\\b`));
    if (!requireTool(t, shell)) return;
    const path = join(temporaryDirectory(t), 'script');
    writeFileSync(path, stdout);
    const checked = attempt(shell, ['-n', path]);
    assert.equal(checked.status, 0, checked.stderr);
  });
}
