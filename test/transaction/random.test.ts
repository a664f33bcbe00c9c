// Random sequences of operations against a model in memory that takes them one after the other.
import '../fixtures/fd-baseline.js';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FileTransaction, undo, ValidationError } from 'dirfd/transaction';
import fc from 'fast-check';
import { inRootWith, leavings, type Snapshot, snapshot } from './snapshot.js';

/** A file's content, or a directory. */
type Tree = string | Map<string, Tree>;

interface Operation {
  readonly do: 'write' | 'mkdir' | 'delete' | 'move' | 'copy';
  readonly path: string;
  readonly to: string;
  readonly replace: boolean;
}

const files = { a: 'a', 'b/c': 'bc', 'b/a/c': 'bac', 'c/a': 'ca', 'c/b/': '' };

const path = fc
  .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 })
  .map((components) => components.join('/'));
const operation: fc.Arbitrary<Operation> = fc.record({
  do: fc.constantFrom('write', 'mkdir', 'delete', 'move', 'move', 'copy'),
  path,
  to: path,
  replace: fc.boolean(),
});

test('any sequence means what its operations mean one after the other, and undo takes all of it back', async () => {
  const property = fc.asyncProperty(fc.array(operation, { maxLength: 14 }), async (operations) => {
    await inRootWith(files, async (root) => {
      const before = snapshot(root);
      const model = treeOf(files);
      await using transaction = await FileTransaction.begin(root, { keepUndo: true, transactionId: 'random' });
      for (const [number, each] of operations.entries()) {
        // What the model refuses would end the transaction: that it is refused is for the next test.
        if (!taken(model, each, String(number), true)) continue;
        await add(transaction, each, String(number));
      }
      const { changes } = await transaction.commit();
      assert.deepEqual(contents(snapshot(root)), flat(model));
      if (changes.length > 0) await undo(root, 'random');
      assert.deepEqual(snapshot(root), before);
      assert.deepEqual(leavings(root), []);
    });
  });
  await fc.assert(property, { numRuns: Number(process.env.DIRFD_RANDOM_RUNS ?? 60) });
});

test('what cannot be done one after the other is refused, and changes nothing', async () => {
  const property = fc.asyncProperty(fc.array(operation, { maxLength: 4 }), operation, async (operations, last) => {
    await inRootWith(files, async (root) => {
      const before = snapshot(root);
      const model = treeOf(files);
      await using transaction = await FileTransaction.begin(root);
      for (const [number, each] of operations.entries()) {
        if (taken(model, each, String(number), true)) await add(transaction, each, String(number));
      }
      const isPossible = taken(model, last, 'last', false);
      const outcome = await add(transaction, last, 'last').then(
        () => true,
        (error) => {
          assert.ok(error instanceof ValidationError, String(error));
          return false;
        },
      );
      assert.equal(outcome, isPossible, JSON.stringify(last));
      if (!isPossible) await assert.rejects(transaction.commit(), ValidationError);
      else await transaction.rollback();
      assert.deepEqual(snapshot(root), before);
    });
  });
  await fc.assert(property, { numRuns: Number(process.env.DIRFD_RANDOM_RUNS ?? 60) });
});

async function add(transaction: FileTransaction, operation: Operation, content: string): Promise<void> {
  if (operation.do === 'write') await transaction.write(operation.path, content);
  else if (operation.do === 'mkdir') await transaction.mkdir(operation.path);
  else if (operation.do === 'delete') await transaction.delete(operation.path);
  else if (operation.do === 'move') await transaction.move(operation.path, operation.to, operation);
  else await transaction.copy(operation.path, operation.to, operation);
}

/** Whether it can be done; does it in the model if so, or if `take` says so. */
function taken(root: Map<string, Tree>, operation: Operation, content: string, take: boolean): boolean {
  const at = placeOf(root, operation.path);
  if (at === undefined) return false;
  const now = at.in.get(at.name);
  const change = (act: () => void) => {
    if (take) act();
    return true;
  };
  if (operation.do === 'write') {
    return !(now instanceof Map) && change(() => at.in.set(at.name, content));
  }
  if (operation.do === 'mkdir') return now === undefined && change(() => at.in.set(at.name, new Map()));
  if (operation.do === 'delete') return now !== undefined && change(() => at.in.delete(at.name));
  const to = placeOf(root, operation.to);
  if (to === undefined || now === undefined) return false;
  const there = to.in.get(to.name);
  const isSame = to.in === at.in && to.name === at.name;
  if (operation.do === 'move' && isSame) return true;
  if (operation.do === 'move' && holds(now, to.in)) return false;
  if (there !== undefined) {
    const areAlike = there instanceof Map === now instanceof Map;
    if (isSame || !operation.replace || !areAlike || holds(there, at.in)) return false;
  }
  return change(() => {
    const entry = operation.do === 'copy' ? cloned(now) : now;
    if (operation.do === 'move') at.in.delete(at.name);
    to.in.set(to.name, entry);
  });
}

function placeOf(root: Map<string, Tree>, path: string): { in: Map<string, Tree>; name: string } | undefined {
  const components = path.split('/');
  const name = components.pop() as string;
  let directory = root;
  for (const component of components) {
    const next = directory.get(component);
    if (!(next instanceof Map)) return undefined;
    directory = next;
  }
  return { in: directory, name };
}

function holds(tree: Tree, directory: Tree): boolean {
  return tree === directory || (tree instanceof Map && [...tree.values()].some((child) => holds(child, directory)));
}

function cloned(tree: Tree): Tree {
  return tree instanceof Map ? new Map([...tree].map(([name, child]) => [name, cloned(child)])) : tree;
}

function treeOf(files: Readonly<Record<string, string>>): Map<string, Tree> {
  const root = new Map<string, Tree>();
  for (const [path, content] of Object.entries(files)) {
    const components = path.split('/').filter(Boolean);
    let directory = root;
    for (const [depth, name] of components.entries()) {
      const isLast = depth === components.length - 1 && !path.endsWith('/');
      if (isLast) directory.set(name, content);
      else {
        if (!directory.has(name)) directory.set(name, new Map());
        directory = directory.get(name) as Map<string, Tree>;
      }
    }
  }
  return root;
}

function flat(tree: Map<string, Tree>, prefix = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, child] of tree) {
    found[prefix + name] = child instanceof Map ? 'directory' : `file ${child}`;
    if (child instanceof Map) Object.assign(found, flat(child, `${prefix}${name}/`));
  }
  return found;
}

/** Without modes, which the model does not have. */
function contents(tree: Snapshot): Record<string, string> {
  return Object.fromEntries(
    Object.entries(tree).map(([path, text]) => [path, text.replace(/^(file) \d+|^(directory) \d+/, '$1$2')]),
  );
}
