// What a tree holds, as node:fs sees it: the transactions' own directory is left out, and looked at apart.
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { quickTemporaryRoot, removeAnything, type TestLike, temporaryDirectory } from '../fixtures/temporary.js';

export const STATE = '.dirfd-transactions';

/** Path → `file MODE CONTENT`, `directory MODE`, `symlink TARGET`. */
export type Snapshot = Readonly<Record<string, string>>;

export function snapshot(root: string): Snapshot {
  const found: Record<string, string> = {};
  const visit = (path: string) => {
    for (const name of readdirSync(join(root, path)).sort()) {
      if (path === '' && name === STATE) continue;
      const at = path === '' ? name : `${path}/${name}`;
      const stat = lstatSync(join(root, at));
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isDirectory()) {
        found[at] = `directory ${mode}`;
        visit(at);
      } else if (stat.isSymbolicLink()) found[at] = `symlink ${readlinkSync(join(root, at))}`;
      else found[at] = stat.isFile() ? `file ${mode} ${readFileSync(join(root, at), 'latin1')}` : 'other';
    }
  };
  visit('');
  return found;
}

/** What transactions have left behind: nothing, but for those that are kept. */
export function leavings(root: string): string[] {
  try {
    return readdirSync(join(root, STATE)).filter((name) => name !== 'lock');
  } catch {
    return [];
  }
}

/** Makes files of `path → content`; a path that ends with a slash is a directory. */
export function fill(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path.endsWith('/') ? path : dirname(path)), { recursive: true });
    if (!path.endsWith('/')) writeFileSync(join(root, path), content);
  }
}

/** A directory with these files, as long as the test lives. */
export function rootWith(t: Pick<TestLike, 'after'>, files: Readonly<Record<string, string>> = {}): string {
  const root = temporaryDirectory(t, 'dirfd-transaction-', quickTemporaryRoot());
  fill(root, files);
  return root;
}

/** The same where a test makes hundreds of them. */
export async function inRootWith<T>(
  files: Readonly<Record<string, string>>,
  use: (root: string) => Promise<T> | T,
): Promise<T> {
  const root = mkdtempSync(join(quickTemporaryRoot(), 'dirfd-transaction-'));
  try {
    fill(root, files);
    return await use(root);
  } finally {
    removeAnything(root);
  }
}
