/** The floor plan of docs/architecture.md: imports run one way, and never in a circle. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

const root = join(import.meta.dirname, '..');

/** From the top floor to the ground. A room imports from its own floor and from those below. */
const FLOORS = [
  ['nodes', 'src/cli'],
  ['src/service', 'src/compare', 'src/export'],
  ['src/observe', 'src/quantize', 'src/engine', 'src/store', 'src/camera', 'src/people', 'src/parsing'],
  ['src/image', 'src/m2fp'],
  ['src/onnx', 'src/checkpoint'],
];

/** What lies on one floor and still has an order. */
const NEVER: readonly [from: string, to: string][] = [
  ['src/parsing', 'src/engine'],
  ['src/parsing', 'src/store'],
  ['src/parsing', 'src/observe'],
  ['src/parsing', 'src/people'],
  ['src/people', 'src/engine'],
  ['src/people', 'src/store'],
  ['src/people', 'src/observe'],
  ['src/people', 'src/camera'],
  ['src/camera', 'src/engine'],
  ['src/camera', 'src/store'],
  ['src/camera', 'src/parsing'],
  ['src/store', 'src/engine'],
  ['src/store', 'src/observe'],
  ['src/engine', 'src/observe'],
  ['src/parsing', 'src/quantize'],
  ['src/store', 'src/quantize'],
  ['src/engine', 'src/quantize'],
  ['src/quantize', 'src/observe'],
];

const files = globSync('{src,nodes}/**/*.ts', { cwd: root })
  .map((file) => file.replaceAll('\\', '/'))
  .toSorted();
const known = new Set(files);

/** The project's own files that `file` imports, types included. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)]
    .map(([, path]) => posix.normalize(posix.join(dirname(file), path!)))
    .filter((path) => known.has(path));
}

const imports = new Map(files.map((file) => [file, importsOf(file)]));
const arrows = files.flatMap((file) => imports.get(file)!.map((to) => [file, to] as const));
const isIn = (file: string, room: string): boolean => file.startsWith(`${room}/`);
const floorOf = (file: string): number => FLOORS.findIndex((rooms) => rooms.some((room) => isIn(file, room)));

/** A circle of imports, if there is one. */
function findCircle(): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of imports.get(file)!) {
      const circle = visit(next);
      if (circle) return circle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of files) {
    const circle = visit(file);
    if (circle) return circle;
  }
  return undefined;
}

describe('the floor plan', () => {
  it('has a floor for every folder of src', () => {
    assert.ok(files.length > 200);
    assert.deepEqual(
      files.filter((file) => floorOf(file) < 0 && file.split('/').length > 2),
      [],
    );
  });

  it('has no arrow to a floor above', () => {
    const up = arrows.filter(([from, to]) => floorOf(to) >= 0 && floorOf(to) < floorOf(from));
    assert.deepEqual(up, []);
  });

  it('has no arrow from src into nodes, and none from the ground to a floor', () => {
    const ground = arrows.filter(([from, to]) => floorOf(from) < 0 && floorOf(to) >= 0);
    assert.deepEqual(ground, []);
  });

  it('has an order on the middle floor', () => {
    const against = arrows.filter(([from, to]) =>
      NEVER.some(([above, below]) => isIn(from, above) && isIn(to, below)),
    );
    assert.deepEqual(against, []);
  });

  it('has no circle', () => {
    assert.equal(findCircle()?.join(' -> '), undefined);
  });

  it('keeps Node-RED out of src', () => {
    const knowing = files.filter(
      (file) =>
        isIn(file, 'src') && /(?:from|import\()\s*'node-red/.test(readFileSync(join(root, file), 'utf8')),
    );
    assert.deepEqual(knowing, []);
  });
});
