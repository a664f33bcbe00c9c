// Two trees side by side with the sentinels, and in one of them two names that the flipper exchanges.
//
//   place/outside/                  the sentinels
//   place/source/level/level/…      the pair lies at depth 1, 2 or 3; at depth 0 it is the tree's own name
//   place/destination/…             the same, for operations that have two trees
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../fixtures/command.js';
import { mountsBelow } from '../fixtures/temporary.js';
import { isRoot } from '../fixtures/tools.js';
import { Outside } from './outside.js';
import { wakeWaiters } from './waiters.js';

export type Side = 'source' | 'destination';

/** Beside small files, large ones where the attack is, without holes: long enough for a ring (native/ops/bulk_move.h), and not whole blocks. */
export type Files = 'small' | 'large';
const content = { small: 'harmless', large: Buffer.alloc(2 ** 20 + 5000, 'harmless ') } as const;

export const exchanges = ['directory-symlink', 'file-symlink', 'file-fifo', 'directory-mount'] as const;
/** What is exchanged with what. Nobody can rename a mount point, so there a directory is exchanged for one in which something is mounted. */
export type Exchange = (typeof exchanges)[number];

export interface Attack {
  readonly exchange: Exchange;
  readonly side: Side;
}

export function depthsOf({ exchange }: Attack): readonly number[] {
  return exchange === 'directory-symlink' ? [0, 1, 2, 3] : [1, 2, 3];
}

/** Why an attack cannot be made here, or nothing. */
export function unavailable({ exchange }: Attack): string | undefined {
  return exchange === 'directory-mount' && !isRoot() ? 'only root can mount' : undefined;
}

export class Arena {
  readonly outside: Outside;
  readonly source: string;
  readonly destination: string;
  /** The attacked tree, and the way from it to the directory that holds the pair: '', 'level' or 'level/level'. */
  readonly tree: string;
  readonly way: string;
  /** The two names. */
  readonly victim: string;
  readonly trap: string;
  readonly #place: string;
  #turn = 0;

  constructor(
    place: string,
    readonly attack: Attack,
    readonly depth: number,
    readonly files: Files = 'small',
  ) {
    this.#place = place;
    this.outside = new Outside(join(place, 'outside'));
    this.source = join(place, 'source');
    this.destination = join(place, 'destination');
    this.tree = this[attack.side];
    this.way = Array.from({ length: Math.max(0, depth - 1) }, () => 'level').join('/');
    this.victim = depth === 0 ? this.tree : join(this.tree, this.way, 'victim');
    this.trap = depth === 0 ? `${this.tree}-trap` : join(this.tree, this.way, 'trap');
    this.restore();
  }

  /** Paths of the pair from the tree's root, and paths through it. */
  get paths(): { readonly one: readonly string[]; readonly many: readonly string[] } {
    const below = { 'directory-symlink': 'file', 'directory-mount': 'm/file', 'file-symlink': '', 'file-fifo': '' };
    const rest = below[this.attack.exchange];
    if (this.depth === 0) return { one: ['.'], many: ['file', 'sub/file'] };
    const one = ['victim', 'trap'];
    const many = one.map((name) => [this.way, name, rest].filter(Boolean).join('/'));
    return { one, many: rest === '' ? many : [...many, [this.way, 'victim/sub/file'].filter(Boolean).join('/')] };
  }

  /** As at the start; only while the flipper rests. The destination is absent or partly there in turn, unless it is the one attacked. */
  restore(): void {
    this.remove();
    this.#turn++;
    this.#build(this.source);
    if (this.attack.side === 'destination' || this.#turn % 2 === 0 || this.depth === 0) this.#build(this.destination);
    this.#setTrap();
  }

  /** Both trees, and what is mounted there. */
  remove(): void {
    // Wherever the operation has moved it.
    for (const point of this.mounts()) run('umount', ['-l', point]);
    // What an operation has left waiting would hold a thread of libuv's for ever: nobody finds a FIFO again that has lost its name.
    for (const fifo of this.attack.exchange === 'file-fifo' ? [this.victim, this.trap] : []) wakeWaiters(fifo);
    for (const path of [this.source, this.destination, this.trap]) rmSync(path, { recursive: true, force: true });
  }

  /** Where the sentinels are mounted at the moment. */
  mounts(): string[] {
    return this.attack.exchange === 'directory-mount' ? mountsBelow(this.#place) : [];
  }

  #build(tree: string): void {
    fill(tree, 'small');
    const parent = join(tree, this.way);
    fill(parent, this.files);
    if (this.depth === 0) return;
    this.#plain(join(parent, 'victim'));
    // The tree that is not attacked has the other name too, every other time: else sync would only ever delete it.
    if (tree !== this.tree && this.#turn % 4 < 2) this.#plain(join(parent, 'trap'));
  }

  #plain(path: string): void {
    if (this.attack.exchange.startsWith('file')) writeFileSync(path, content[this.files]);
    else fill(path, this.files);
    if (this.attack.exchange === 'directory-mount') fill(join(path, 'm'), this.files);
  }

  #setTrap(): void {
    const { exchange } = this.attack;
    if (exchange === 'directory-symlink') symlinkSync(this.outside.path, this.trap);
    else if (exchange === 'file-symlink') symlinkSync(join(this.outside.path, 'file'), this.trap);
    else if (exchange === 'file-fifo') run('mkfifo', [this.trap]);
    else {
      const point = join(this.trap, 'm');
      mkdirSync(point, { recursive: true });
      run('mount', ['--bind', this.outside.path, point]);
    }
  }
}

/** Some files, one of which may be large, and a directory with one. */
function fill(directory: string, files: Files): void {
  mkdirSync(join(directory, 'sub'), { recursive: true });
  writeFileSync(join(directory, 'file'), content[files]);
  writeFileSync(join(directory, 'sub/file'), 'harmless');
  for (let index = 0; index < 8; index++) writeFileSync(join(directory, `file-${index}`), `harmless ${index}`);
}
