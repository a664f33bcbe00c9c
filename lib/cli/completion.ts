/**
 * Completion scripts for bash, zsh and fish, made from commander's own tables, so that they know every option.
 *
 * They are whole: the shell never starts node at a press of TAB, and paths complete as ever. (@bomb.sh/tab asks the program each time
 * and switches file names off for every answer, which a tool for files cannot use.)
 */

import type { Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function completionScript(program: Command, shell: Shell): string {
  return { bash, zsh, fish }[shell](program);
}

interface Flag {
  readonly names: readonly string[];
  readonly takesValue: boolean;
  readonly choices: readonly string[];
  readonly description: string;
}

function commandsOf(program: Command): { name: string; summary: string; flags: Flag[]; words: readonly string[] }[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help')
    .map((command) => ({
      name: command.name(),
      summary: command.summary(),
      flags: flagsOf(command),
      words: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    }));
}

/** Its own, and those of the commands below it, each once. */
function flagsOf(command: Command): Flag[] {
  const options = [command, ...command.commands].flatMap((each) => each.createHelp().visibleOptions(each));
  return [...new Map(options.map((option) => [option.long ?? option.short, flagOf(option)])).values()];
}

function flagOf(option: Option): Flag {
  return {
    names: [option.short, option.long].filter((name) => name !== undefined),
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? [],
    description: option.description,
  };
}

/** Long options take `=value`, as in the help. */
function withValues({ names, takesValue, choices }: Flag): string[] {
  if (!takesValue) return [...names];
  return names.flatMap((name) => (choices.length > 0 ? choices.map((choice) => `${name}=${choice}`) : [`${name}=`]));
}

function bash(program: Command): string {
  const cases = commandsOf(program).map(
    ({ name, flags, words }) =>
      `    ${name}) flags=${quote(flags.flatMap(withValues).join(' '))}; words=${quote(words.join(' '))} ;;`,
  );
  const names = commandsOf(program).map(({ name }) => name);
  return `# bash completion for dirfd: source <(dirfd complete bash)
_dirfd() {
  local line="\${COMP_LINE:0:COMP_POINT}" current flags= words= command= word
  # Words as the shell splits them, and not at '=' and ':', as readline does.
  current="\${line##*[[:space:]]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word != -* ]] && { command=$word; break; }
  done
  case "$command" in
${cases.join('\n')}
    *) COMPREPLY=($(compgen -W ${quote([...names, 'help', '--help', '--version'].join(' '))} -- "$current")); return ;;
  esac
  if [[ $current == -* ]]; then
    compopt +o default +o bashdefault 2>/dev/null
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
    # readline replaces only what follows the '='.
    [[ $current == *=* ]] && COMPREPLY=("\${COMPREPLY[@]#"\${current%%=*}="}")
    [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace
  elif [[ -n $words ]]; then
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o bashdefault -o default -F _dirfd dirfd
`;
}

function zsh(program: Command): string {
  const spec = (flag: Flag) =>
    flag.names.map((name) => {
      const value = !flag.takesValue ? '' : `:value:${flag.choices.length > 0 ? `(${flag.choices.join(' ')})` : ''}`;
      const suffix = flag.takesValue && name.startsWith('--') ? '=' : '';
      return `        ${quote(`${name}${suffix}[${flag.description.replace(/[[\]:\\]/g, '\\$&')}]${value}`)}`;
    });
  const cases = commandsOf(program).map(({ name, flags, words }) => {
    const rest = words.length > 0 ? `'*:word:(${words.join(' ')})'` : "'*:file:_files'";
    return `    ${name})\n      _arguments -s \\\n${flags.flatMap(spec).join(' \\\n')} \\\n        ${rest}\n      ;;`;
  });
  const names = commandsOf(program).map(
    ({ name, summary }) => `    ${quote(`${name}:${summary.replace(/:/g, '\\:')}`)}`,
  );
  return `#compdef dirfd
# zsh completion for dirfd: source <(dirfd complete zsh), or as a file _dirfd in $fpath
_dirfd() {
  local -a commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _dirfd ]]; then
  _dirfd "$@"
else
  compdef _dirfd dirfd
fi
`;
}

function fish(program: Command): string {
  const lines = commandsOf(program).flatMap(({ name, summary, flags, words }) => [
    `complete -c dirfd -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
    ...flags.map(({ names, takesValue, choices, description }) => {
      const forms = names
        .map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
        .join(' ');
      const value = !takesValue ? '' : choices.length > 0 ? ` -x -a ${quote(choices.join(' '))}` : ' -x';
      return `complete -c dirfd -n '__fish_seen_subcommand_from ${name}' ${forms}${value} -d ${quote(description)}`;
    }),
    ...(words.length > 0
      ? [`complete -c dirfd -n '__fish_seen_subcommand_from ${name}' -f -a ${quote(words.join(' '))}`]
      : []),
  ]);
  return `# fish completion for dirfd: dirfd complete fish | source\n${lines.join('\n')}\n`;
}

/** For all three shells alike: nothing is special between single quotes but the quote. */
function quote(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}
