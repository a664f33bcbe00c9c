// The variants: { name, group, takes, env, node, around, commands, unavailable }.
//
//   takes        says of a file below test/ whether the variant repeats it; all when absent
//   env          added to the environment of the tests
//   node         the node program that runs them
//   around       wraps the command line: (command, { place, root, scratch }) => command
//   commands     instead of node --test: the linters; or build steps, then ctest
//   unavailable  says why the variant cannot run here, or nothing

import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What a fallback may do in its own way: how entries are reached, opened and given their metadata; not which of them, nor in which order. */
const fallible = (file) =>
  /^(dirfd|walk|copy)\//.test(file) &&
  !/^walk\/(engine|filter|gitignore|glob|guide|limits|options|orders|syscalls)|^copy\/(delete|engine|filters|guide|hard-links|itemize|limits|threads)/.test(
    file,
  );
/** Of these, in short, how, and that nothing planted meanwhile leads elsewhere: for a fallback of which another variant shows the rest. */
const essential = (file) =>
  /^dirfd\/|^walk\/(change|entry|truth)|^copy\/(fidelity|flipping|mounts|options|privileges|races|random)|^fs\/(cp\.|dereference)/.test(
    file,
  );
/** What a file system may do in its own way: what it keeps of a file, and what its directories tell. */
const fileSystems = (file) =>
  /^dirfd\/(attributes|file-fd|names|remove-tree|temporary-files|times|xattrs)|^walk\/(change|entry|truth)/.test(
    file,
  ) ||
  /^copy\/(atomic|fidelity|inode-flags|keep-rules|options|privileges|random|refusals|second-run|syscalls|verify)/.test(
    file,
  );
/**
 * All of the product, without the checks of the repository and of the tests' own means, and without sweeps, fuzzing, races and hostile trees,
 * which are long and differ in nothing.
 */
const product = (file) => !/^(repository|fixtures|fault|fuzz|race|hostile)\//.test(file);
/** What one Node may do otherwise than another: load, collect garbage, end workers, run JavaScript. The addon speaks Node-API with all. */
const nodeFacing = (file) =>
  product(file) &&
  (!/^(cli|copy|walk|crash)\/|\/(crash|reorder|processes|random)/.test(file) ||
    /^walk\/(entry|guide|life|syscalls)|^copy\/(guide|syscalls)|^cli\/(program|walk|copy|lock)/.test(file));
/** How objects of the addon live and die. */
const lifeCycle = (file) =>
  /^dirfd\/(loading|lifetime|states|guide)|^walk\/(guide|life)|^copy\/guide|^workers\//.test(file);
/** What memory the addon touches, and whose. The resolver's is looked at in asan-native: fuzz-resolver and its race. */
const memory = (file) =>
  (essential(file) && !/^dirfd\/resolver/.test(file)) ||
  lifeCycle(file) ||
  /^walk\/(churn|orders|filter\.)|^copy\/(delete|refusals|verify)|^lock\/|^atomic\/(write|metadata)/.test(file);
/** What an ordinary user may meet: permissions are not asked for by globs, traces of calls or shells. */
const personal = (file) =>
  product(file) &&
  !/^(crash|workers)\/|^atomic\/(crash|reorder)|^transaction\/(crash|reorder|random|journal)|^walk\/(gitignore|glob|life|options-random|filter-syscalls)/.test(
    file,
  ) &&
  !/^copy\/(engine|itemize|limits|second-run|syscalls)|^cli\/(completion|docs|text)|^backup\/crash|^walk\/(limits|syscalls|churn)/.test(
    file,
  );
const nobody = 65534;

export function allVariants() {
  return [
    { name: 'lint', commands: [['npm', 'run', '--silent', 'lint']] },
    { name: 'default' },
    ...fallbacks(),
    ring(),
    ordinaryUser(),
    ...['ext4', 'xfs', 'btrfs', 'tmpfs', 'overlay'].map(fileSystem),
    ...otherNodes(),
    ...sanitizers(),
  ];
}

/** Every fallback must be as safe as the first choice: with that switched off, what shows it runs again, for some of them in short. */
function fallbacks() {
  // No kernel has fchmodat2 and lacks openat2: that one is off together with all that is younger.
  const oldKernel = 'openat2,fchmodat2,xattrat,copy_file_range,ficlone,tmpfile';
  return [
    { name: 'old-container', takes: fallible, env: { DIRFD_DISABLE: `${oldKernel},umask_thread` } },
    { name: 'without-proc', takes: essential, env: { DIRFD_DISABLE: 'proc' } },
    // What only all of them together cannot do is shown by test/copy/fallbacks.test.ts.
    { name: 'old-chroot', takes: essential, env: { DIRFD_DISABLE: `${oldKernel},proc` } },
  ].map((variant) => inMemory({ ...variant, group: 'fallbacks' }));
}

/**
 * Tests make trees and remove them without pause, which costs a file system on a disk more than the tests themselves do. What is not about
 * disks has its trees in memory.
 */
function inMemory(variant) {
  const around = (command, how) => [
    ...['scripts/test/on-filesystem.sh', 'tmpfs', how.place],
    ...['env', `TMPDIR=${how.place}`, `DIRFD_TEST_TMPDIR=${how.place}`],
    ...(variant.around?.(command, how) ?? command),
  ];
  return canMount() ? { ...variant, around } : variant;
}

/** Where the kernel refuses io_uring, dirfd runs on threads and so do these tests; test/walk/engine.test.ts says so. */
function ring() {
  const walks = /^walk\/(truth|orders|follow|entry|churn|change|life|limits|options-random|engine)/;
  const copies = /^copy\/(delete|engine|fidelity|flipping|keep-rules|mounts|races|random|refusals)/;
  return inMemory({
    name: 'io_uring',
    takes: (file) => walks.test(file) || copies.test(file),
    env: { DIRFD_ENGINE: 'io_uring' },
  });
}

function ordinaryUser() {
  return inMemory({
    name: 'ordinary-user',
    takes: personal,
    unavailable: () => needsRoot() ?? needs('setpriv', 'unshare', 'mount') ?? needsMount(),
    around: (command, { place }) => [
      ...['env', `HOME=${place}`],
      ...['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups'],
      ...command,
    ],
  });
}

function fileSystem(type) {
  return {
    name: type,
    group: 'filesystems',
    takes: fileSystems,
    unavailable: () =>
      needsRoot() ??
      needs('unshare', 'mount', ...(hasImage(type) ? [`mkfs.${type}`] : [])) ??
      needsMount() ??
      (hasImage(type) && !existsSync('/dev/loop-control') ? 'needs loop devices' : undefined),
    around: (command, { place }) => [
      ...['scripts/test/on-filesystem.sh', type, place],
      ...['env', `TMPDIR=${place}`, `DIRFD_TEST_TMPDIR=${place}`],
      ...command,
    ],
  };
}

function otherNodes() {
  const nodes = (process.env.DIRFD_TEST_NODES ?? '').split(':').filter(Boolean);
  const variants = nodes.map((node, at) =>
    inMemory({
      name: `node-${versionOf(node) ?? basename(node)}`,
      group: 'nodes',
      takes: at === nodes.length - 1 ? nodeFacing : lifeCycle, // the last should be the newest, the furthest from this one
      node,
      unavailable: () => (versionOf(node) ? undefined : `${node} does not start`),
    }),
  );
  const none = {
    name: 'nodes',
    unavailable: () => 'no other Node: set DIRFD_TEST_NODES=/path/to/node:…',
    commands: [],
  };
  return variants.length > 0 ? variants : [none];
}

function sanitizers() {
  const needsTools = () => needs('cmake', 'c++') ?? undefined;
  return [
    {
      name: 'asan-native',
      group: 'asan',
      unavailable: needsTools,
      env: { ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' },
      commands: nativeTests('build/asan', ['-DDIRFD_ASAN=ON']),
    },
    inMemory({
      name: 'asan',
      group: 'asan',
      takes: memory,
      unavailable: () => needsTools() ?? buildAddon('build/asan', ['-DDIRFD_ASAN=ON']),
      env: {
        DIRFD_PREBUILD: join(process.cwd(), 'build/asan'),
        LD_PRELOAD: runtimeOf('asan'),
        // node itself keeps allocations to its end; leaks of the native code are looked for in asan-native.
        ASAN_OPTIONS: 'detect_leaks=0',
        UBSAN_OPTIONS: 'print_stacktrace=1',
      },
    }),
    { name: 'tsan', unavailable: needsTools, commands: nativeTests('build/tsan', ['-DDIRFD_TSAN=ON']) },
  ];
}

function nativeTests(build, options) {
  return [
    ['cmake', '-S', '.', '-B', build, ...options],
    ['cmake', '--build', build, '--parallel', '2', '--target', 'native-tests'],
    ['ctest', '--test-dir', build, '--output-on-failure', '--timeout', '300'],
  ];
}

function buildAddon(build, options) {
  for (const command of [
    ['cmake', '-S', '.', '-B', build, ...options],
    ['cmake', '--build', build, '--parallel', '2', '--target', 'dirfd'],
  ]) {
    const { status, stderr } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
    if (status !== 0) return `${command.join(' ')} failed: ${stderr}`;
  }
}

const unshare = ['unshare', '--mount', '--propagation', 'private'];

/**
 * Root's tests run in a mount namespace of their own: what they mount vanishes with the last process, however that ends. There the
 * checkout is mounted again below `scratch`: where it lies itself, only root may be able to enter (/root), and tests run as others too.
 */
export function inOwnMounts(command, { root, scratch }) {
  if (!canMount()) return command;
  chmodSync(scratch, 0o755);
  const script = [
    'mkdir -p "$1" && mount --bind "$0" "$1" && cd "$1" && shift',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
    'case ${DIRFD_PREBUILD-} in "$0"/*) export DIRFD_PREBUILD="$PWD${DIRFD_PREBUILD#"$0"}" ;; esac',
    'exec "$@"',
  ].join('\n');
  return [...unshare, 'sh', '-euc', script, root, `${scratch}/repository`, ...command];
}

function runtimeOf(sanitizer) {
  return spawnSync('c++', [`-print-file-name=lib${sanitizer}.so`], { encoding: 'utf8' }).stdout?.trim();
}

function versionOf(node) {
  return spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim();
}

function needsRoot() {
  return process.getuid() === 0 ? undefined : 'needs root';
}

function needs(...programs) {
  const missing = programs.filter((program) => !isInstalled(program));
  return missing.length > 0 ? `needs ${missing.join(' and ')}` : undefined;
}

function isInstalled(program) {
  return (process.env.PATH ?? '').split(':').some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

let mountable;
/** Asked for each variant, tried once. */
function canMount() {
  mountable ??= (needsRoot() ?? needs('unshare', 'mount') ?? needsMount()) === undefined;
  return mountable;
}

function hasImage(type) {
  return type !== 'tmpfs' && type !== 'overlay';
}

function needsMount() {
  const { status } = spawnSync('unshare', [...unshare.slice(1), 'mount', '-t', 'tmpfs', 'none', '/mnt']);
  return status === 0 ? undefined : 'needs the right to mount';
}
