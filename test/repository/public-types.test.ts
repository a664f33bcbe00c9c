import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { repositoryRoot } from '../fixtures/repository.js';
import { temporaryDirectory } from '../fixtures/temporary.js';
import { gapsIn } from './public-types.js';

test('every type that a public declaration mentions is exported by the same entry point', () => {
  const { exports } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8'));
  const entries = Object.values(exports as Record<string, { types?: string }>).flatMap(({ types }) => types ?? []);
  assert.ok(entries.length > 5);
  const gaps = gapsIn(entries.map((entry) => join(repositoryRoot, entry)));
  assert.deepEqual(
    gaps.map(({ entry, type, mentionedBy }) => `${relative(repositoryRoot, entry)}: ${type}, in ${mentionedBy}`),
    [],
  );
});

test('a type that is mentioned and not exported is found, also by a parameter, an interface above and a base class', (t) => {
  const place = temporaryDirectory(t);
  const parts = `
    export interface Options { a: number }
    export interface Above { b: number }
    export interface Inherited { c: number }
    export interface Hidden { d: number }
    export declare class Base { method(): Inherited; private hidden(): Hidden }
    export interface Report extends Above {}
    export declare class Door extends Base { open(options: Options): Report }
  `;
  writeFileSync(join(place, 'parts.d.ts'), parts);
  writeFileSync(join(place, 'index.d.ts'), "export { Door, type Report } from './parts.js';\n");
  const gaps = gapsIn([join(place, 'index.d.ts')]);
  assert.deepEqual(
    gaps.map(({ type, mentionedBy }) => `${type} ${mentionedBy}`),
    ['Inherited Door', 'Options Door', 'Above Report'],
  );
});
