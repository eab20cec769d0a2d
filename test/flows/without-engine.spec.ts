/**
 * A Node-RED in which npm could not install onnxruntime-node, which is an optional dependency: the package's own
 * WebAssembly build stands in for it.
 */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import { installedPackage } from '../support/installed-package.ts';
import { example, type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';
import type { Problem } from '../../src/service/problem.ts';
import { twoPeople } from '../support/images.ts';

/** Moves what is there away, all or nothing; returns the function that brings it back. */
function hide(...paths: string[]): () => void {
  const hidden: string[] = [];
  const restore = (): void => {
    for (const path of hidden) renameSync(`${path}-away`, path);
  };
  try {
    for (const path of paths) {
      renameSync(path, `${path}-away`);
      hidden.push(path);
    }
  } catch (error) {
    restore();
    throw error;
  }
  return restore;
}

/** What the example's Catch node gets, in the log. */
const LOGGED: FlowNode[] = [
  { id: 'logged', type: 'catch', z: 'm2fpe2tab0000000', scope: null, wires: [['log']] },
  { id: 'log', type: 'debug', z: 'm2fpe2tab0000000', active: true, console: true, complete: 'error.message' },
];

for (const version of VERSIONS) {
  describe(`without onnxruntime-node (${version})`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    let restore = (): void => {};

    before(async () => {
      const { modules } = installedPackage();
      restore = hide(join(modules, 'onnxruntime-node'), join(modules, 'onnxruntime-common'));
      nodeRed = await NodeRed.start(version, example('2 HTTP API'));
    });
    after(async () => {
      await nodeRed?.stop();
      restore();
    });

    const parse = () => nodeRed.post('/parse', { body: new Uint8Array(twoPeople) });

    it('starts the flows, and parses on WebAssembly', async () => {
      assert.doesNotMatch(nodeRed.log, /missing node types/);
      const response = await parse();
      assert.equal(response.status, 200);
      const { parts } = (await response.json()) as ParsingSummary;
      const labels = parts.map(({ label }) => label);
      for (const label of ['Face', 'Hair', 'Pants'])
        assert.ok(labels.includes(label), `${label} in ${labels.join()}`);
    });

    it('says once that it is slow, and how to get the native one', async () => {
      assert.equal((await parse()).status, 200);
      const lines = nodeRed.log.split('\n').filter((line) => line.includes('WebAssembly'));
      assert.equal(lines.length, 1, nodeRed.log);
      assert.match(
        lines[0]!,
        /\[warn\].*slower\. .*not installed.*ONNXRUNTIME_NODE_INSTALL=skip npm install/,
      );
    });
  });

  describe(`without onnxruntime-node and its WebAssembly build (${version})`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    let restore = (): void => {};

    before(async () => {
      const { modules, folder } = installedPackage();
      const wasm = join(folder, 'dist', 'engine', 'child', 'wasm', 'ort-wasm-simd-threaded.wasm.br');
      restore = hide(join(modules, 'onnxruntime-node'), wasm);
      nodeRed = await NodeRed.start(version, [...example('2 HTTP API'), ...LOGGED]);
    });
    after(async () => {
      await nodeRed?.stop();
      restore();
    });

    it('starts the flows, and answers pictures with what is missing and what helps', async () => {
      assert.doesNotMatch(nodeRed.log, /missing node types/);
      const response = await nodeRed.post('/parse', { body: new Uint8Array(twoPeople) });
      assert.equal(response.status, 503);
      const { code, detail } = (await response.json()) as Problem;
      assert.equal(code, 'M2FP_ENGINE_UNAVAILABLE');
      // What is missing is for the owner to know, and not for whoever sends a picture.
      assert.doesNotMatch(detail, /onnxruntime|WebAssembly/i);
      assert.match(nodeRed.log, /ONNXRUNTIME_NODE_INSTALL=skip/);
      assert.match(nodeRed.log, /WebAssembly build.*does not load either/);
    });
  });
}
