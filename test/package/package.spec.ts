/** What is published: its files, the facts that the flow library checks, and an install as the palette manager makes it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import packageJson from '../../package.json' with { type: 'json' };
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import { installedPackage, type InstalledPackage, root } from '../support/installed-package.ts';
import { example, type FlowNode } from '../support/node-red.ts';

/** Node-RED 5's own floor: the library and `npm install --engine-strict` ask for it. */
const NODE_RED_NEEDS = '22.9.0';
/** Bytes; what users download before the dependencies. 7 MB of it are the bundled model, 4 MB onnxruntime's WebAssembly. */
const LARGEST_TARBALL = 12 * 1024 * 1024;

const types = Object.keys(packageJson['node-red'].nodes);
const examples = readdirSync(join(root, 'examples'))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.replace(/\.json$/, ''));
/** What an example needs beside this package stands in its name. */
const onTheirOwn = examples.filter((name) => !name.includes('(needs '));

type Placed = FlowNode & { x: number; y: number };

/** Where a node names others. */
interface Links {
  wires?: string[][];
  links?: string[];
  nodes?: string[];
  g?: string;
  z?: string;
}

describe('the package', function () {
  this.timeout(120_000);
  let installed: InstalledPackage;
  let paths: string[];

  before(() => {
    installed = installedPackage();
    paths = installed.tarball.files.map(({ path }) => path);
  });

  /** A file of the installed package. */
  const read = (path: string): string => readFileSync(join(installed.folder, path), 'utf8');

  it('holds what is needed and nothing else', () => {
    const needed = [
      'package.json',
      'README.md',
      'LICENSE',
      'dist/cli/m2fp.js',
      'dist/engine/child/child.js',
      'dist/engine/child/wasm/NOTICE',
      'dist/engine/child/wasm/ort-wasm-simd-threaded.mjs',
      'dist/engine/child/wasm/ort-wasm-simd-threaded.wasm.br',
      'dist/engine/child/wasm/runtime.js',
      'dist/pixel-font.NOTICE',
      'dist/schemas/parsing.schema.json',
      'dist/schemas/summary.schema.json',
      'resources/m2fp-form.js',
      'models/demo/m2fp.json',
      'models/demo/model.onnx',
      'models/demo/model.onnx.data',
      ...examples.map((name) => `examples/${name}.json`),
      ...types.flatMap((type) => [
        `dist/nodes/${type}/${type}.js`,
        `dist/nodes/${type}/${type}.html`,
        `dist/nodes/${type}/icons/${type}.svg`,
        `dist/nodes/${type}/locales/en-US/${type}.json`,
        `dist/nodes/${type}/locales/en-US/${type}.html`,
        `dist/nodes/${type}/locales/zh-CN/${type}.json`,
        `dist/nodes/${type}/locales/zh-CN/${type}.html`,
      ]),
    ];
    assert.deepEqual(
      needed.filter((path) => !paths.includes(path)),
      [],
    );
    const known =
      /^(dist|examples|models\/demo|resources)\/|^(package\.json|LICENSE|NOTICE|CHANGELOG\.md|README(\.zh-CN)?\.md)$/;
    assert.deepEqual(
      paths.filter((path) => !known.test(path)),
      [],
    );
    assert.deepEqual(
      paths.filter((path) => /\.(ts|map|spec\.js)$/.test(path)),
      [],
    );
    assert.ok(installed.tarball.size < LARGEST_TARBALL, `${installed.tarball.size} bytes`);
  });

  it('names no path outside of it', () => {
    for (const path of paths.filter((name) => /\.(js|html|json|md)$/.test(name))) {
      assert.doesNotMatch(read(path), /["'`](\/home|\/root|\/work|\/Users|[A-Z]:\\\\)\b/, path);
    }
  });

  it('keeps the facts that the flow library checks', () => {
    assert.match(packageJson.name, /^@[a-z0-9-]{2,}\/[a-z0-9-]+$/, 'P04: scoped');
    assert.equal(packageJson.license, 'Apache-2.0', 'P01');
    assert.ok(packageJson.repository.url && packageJson.bugs.url, 'P03');
    assert.ok(packageJson.keywords.includes('node-red'), 'P05');
    assert.equal(packageJson['node-red'].version, '>=4.1.0', 'P06');
    assert.equal(packageJson.engines.node, `>=${NODE_RED_NEEDS.replace(/\.0$/, '')}`, 'P07');
    assert.ok(Object.keys(packageJson.dependencies).length <= 6, 'D01');
    const scripts = Object.keys(packageJson.scripts);
    assert.deepEqual(
      scripts.filter((name) => /^(pre|post)?install$|^(pre|post)?uninstall$/.test(name)),
      [],
    );
  });

  it('shows every node in an example, and no node of another package', () => {
    assert.equal(examples.length - onTheirOwn.length, 1);
    const used = onTheirOwn.flatMap(example);
    const usedTypes = new Set(used.map(({ type }) => type));
    assert.deepEqual(
      types.filter((type) => !usedTypes.has(type)),
      [],
    );
    const core =
      /^(tab|group|comment|inject|debug|catch|status|complete|delay|link (in|out)|change|switch|function|template|trigger|rbe|join|http (in|response|request)|split|mqtt (in|out)|mqtt-broker|file( in)?|subflow(:m2fp\w+)?)$/;
    assert.deepEqual(
      [...usedTypes].filter((type) => !core.test(type) && !types.includes(type)),
      [],
    );
    const [dashboard] = examples.filter((name) => name.includes('(needs @flowfuse node-red-dashboard)'));
    assert.deepEqual(
      example(dashboard!)
        .map(({ type }) => type)
        .filter((type) => !core.test(type) && !types.includes(type) && !/^ui-|^global-config$/.test(type)),
      [],
    );
  });

  it('gives every example a comment in both languages, and lays it out on the grid', () => {
    for (const name of examples) {
      const nodes = example(name);
      const told = nodes.filter(({ type }) => ['comment', 'tab', 'subflow'].includes(type));
      for (const { type, info } of told as (FlowNode & { info: string })[]) {
        if (type === 'comment' && info === '') continue;
        assert.match(info, /[A-Za-z]{4}[^]*[\u4e00-\u9fff]{4}/, `${name}: ${type}`);
      }
      const inSubflow = nodes.filter(({ type }) => type === 'subflow').map(({ id }) => id);
      const placed = nodes.filter(
        (node) => 'x' in node && node.type !== 'group' && !inSubflow.includes(String(node['z'])),
      ) as Placed[];
      const spots = placed.map(({ x, y }) => `${x},${y}`);
      assert.equal(new Set(spots).size, spots.length, `${name}: nodes on top of each other`);
      for (const { id, x, y } of placed) {
        // Link nodes are so narrow that the grid is one of their edges.
        assert.ok(x > 0 && y > 0 && x % 5 === 0 && y % 20 === 0, `${name}: ${id} at ${x}, ${y}`);
      }
    }
  });

  it('wires the examples, which share a model, else no id and no address', () => {
    const all = examples.flatMap(example);
    const ids = new Set(all.map(({ id }) => id));
    const shared = all.filter(({ id }, at) => all.findIndex((other) => other.id === id) < at);
    const kinds = new Set(shared.map(({ id, z }) => `${typeof z === 'string' ? z : ''} ${id}`));
    assert.deepEqual([...kinds].toSorted(), [' m2fpmodelbundled']);
    for (const node of shared)
      assert.deepEqual(
        node,
        all.find(({ id }) => id === node.id),
      );
    const models = all.filter(({ type }) => type === 'm2fp-model');
    assert.match(String(models[0]!['name']), /^people model/);
    assert.equal(new Set(models.map(({ id }) => id)).size, 1);
    const subflows = all.filter(({ type }) => type.startsWith('subflow:')).map(({ type }) => type.slice(8));
    for (const id of subflows) assert.ok(ids.has(id), id);
    for (const node of all as (FlowNode & Links)[]) {
      const targets = [
        ...(node.wires ?? []).flat(),
        ...(node.links ?? []),
        ...(node.nodes ?? []),
        node.g,
        node.z,
      ];
      assert.deepEqual(
        targets.filter((id) => id !== undefined && !ids.has(id)),
        [],
        `${node.type} ${node.id}`,
      );
    }
    const addresses = all
      .filter(({ type }) => type === 'http in')
      .map((node) => `${String(node['method'])} ${String(node['url'])}`);
    assert.equal(new Set(addresses).size, addresses.length);
  });

  it('takes bodies the same way at every address, and shows errors whole', () => {
    for (const name of examples) {
      const nodes = example(name) as (FlowNode & Links)[];
      const posts = nodes.filter((node) => node.type === 'http in' && node['method'] === 'post');
      for (const post of posts) {
        assert.equal(post['upload'], true, name);
        const [targets] = post.wires as [string[]];
        const readers = nodes.filter(({ id }) => targets.includes(id));
        const [reader] = readers;
        assert.deepEqual([readers.length, reader!.type, reader!['maxBody']], [1, 'm2fp-request', 32], name);
      }
      if (!nodes.some(({ type }) => type === 'm2fp-infer')) continue;
      const caught = nodes
        .filter(({ type }) => type === 'catch')
        .flatMap((node) => (node.wires ?? []).flat())
        .map((id) => nodes.find((node) => node.id === id)!);
      const debug = caught.find(({ type }) => type === 'debug');
      assert.match(String(debug?.['complete']), /error\.message/, name);
    }
  });

  it('fills in every property of its nodes in the examples', () => {
    for (const node of examples.flatMap(example).filter(({ type }) => types.includes(type))) {
      const missing = defaultsOf(read(`dist/nodes/${node.type}/${node.type}.html`)).filter(
        (name) => !(name in node),
      );
      assert.deepEqual(missing, [], `${node.type} ${node.id}`);
    }
  });

  for (const type of types) {
    it(`shows the catalogue the node type ${type}`, () => {
      const html = read(`dist/nodes/${type}/${type}.html`);
      assert.match(html, /<script type="text\/javascript">/);
      const registered = [...html.matchAll(/registerType\(\s*(['"])([^'"]+)\1,\s*\{/g)].map(
        (match) => match[2],
      );
      assert.deepEqual(registered, [type]);
      const definition = html.slice(html.indexOf('registerType('));
      assert.match(definition, /\n\s+category: '[a-z0-9]+',\n/);
      assert.match(definition, /\n\s+color: '#[0-9A-Fa-f]{6}',\n/);
      assert.match(definition, new RegExp(`\n\\s+icon: '${type}\\.svg',\n`));
      if (type !== 'm2fp-model') assert.match(definition, /\n\s+inputs: [01],\n\s+outputs: \d,\n/);
      const block = definition.slice(0, definition.indexOf('</script>'));
      assert.doesNotMatch(block, /^\s+\.\.\.\w/m, 'a spread stops the catalogue');
      assert.ok(html.includes(`data-template-name="${type}"`));
    });
  }

  it('is installed without a build, a script of its own or development dependencies', () => {
    assert.equal(installed.name, packageJson.name);
    for (const name of ['sharp', 'onnxruntime-node']) {
      assert.ok(existsSync(join(installed.modules, name)), name);
    }
    for (const name of ['typescript', 'protobufjs', 'yauzl', 'node-red', 'onnxruntime-web']) {
      assert.ok(!existsSync(join(installed.modules, name)), name);
    }
  });

  it('brings the command m2fp', () => {
    const [shim] = readdirSync(join(installed.modules, '.bin')).filter((name) => /^m2fp(\.cmd)?$/.test(name));
    assert.ok(shim);
    const program = join(installed.folder, 'dist', 'cli', 'm2fp.js');
    if (process.platform !== 'win32') assert.ok(lstatSync(program).mode & 0o100, 'executable');
    const image = join(installed.folder, 'models', 'demo', 'samples', 'two-people.png');
    const out = execFileSync(process.execPath, [program, 'parse', image], { encoding: 'utf8' });
    assert.equal((JSON.parse(out) as ParsingSummary).width, 448);
  });
});

/** The names in the `defaults` of a node's definition, which stand one level deeper than the word itself. */
function defaultsOf(html: string): string[] {
  const [, indent, block] = /\n( +)defaults: \{\n([^]*?)\n\1\},\n/.exec(html) ?? assert.fail('no defaults');
  return [...block!.matchAll(new RegExp(`^${indent} {2}(\\w+): \\{`, 'gm'))].map((match) => match[1]!);
}
