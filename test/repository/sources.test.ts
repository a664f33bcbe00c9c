import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const listed = readFileSync('native/sources.txt', 'utf8').trimEnd().split('\n');

test('native/sources.txt lists every .cpp below native, and nothing else', () => {
  const present = readdirSync('native', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.cpp'))
    .map((name) => `native/${name}`);
  assert.deepEqual([...listed].sort(), present.sort());
});

test('native/sources.txt is sorted, so that two branches rarely meet on a line', () => {
  assert.deepEqual(listed, [...listed].sort());
});

test('no two headers name two types of one namespace alike, which no linker complains of', () => {
  const headers = readdirSync('native', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.h'));
  const named = headers.flatMap((header) => {
    const source = readFileSync(`native/${header}`, 'utf8');
    const space = /^namespace (\S+) \{/m.exec(source)?.[1];
    return [...source.matchAll(/^(?:struct|class|enum class) (\w+)[^;\n]*\{/gm)].map(([, name]) => `${space}::${name}`);
  });
  assert.ok(named.length > 100);
  assert.deepEqual(
    named.filter((name, index) => named.indexOf(name) !== index),
    [],
  );
});
