/** A Node-RED in which npm could not install onnxruntime-node, which is an optional dependency. */
import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { installedPackage } from '../support/installed-package.ts';
import { example, NodeRed, VERSIONS } from '../support/node-red.ts';
import { twoPeople } from '../support/pictures.ts';

for (const version of VERSIONS) {
  describe(`without onnxruntime-node (${version})`, function () {
    this.timeout(40_000);
    let nodeRed: NodeRed;
    let present: string;
    let away: string;

    before(async () => {
      present = join(installedPackage().modules, 'onnxruntime-node');
      away = `${present}-away`;
      renameSync(present, away);
      nodeRed = await NodeRed.start(version, example('2 HTTP API'));
    });
    after(async () => {
      await nodeRed?.stop();
      renameSync(away, present);
    });

    it('starts the flows, and answers pictures with what is missing and what helps', async () => {
      assert.doesNotMatch(nodeRed.log, /missing node types/);
      const response = await nodeRed.post('/parse', { body: new Uint8Array(twoPeople) });
      assert.equal(response.status, 503);
      const { error } = (await response.json()) as { error: { code: string; message: string } };
      assert.equal(error.code, 'M2FP_ENGINE_UNAVAILABLE');
      assert.match(error.message, /ONNXRUNTIME_NODE_INSTALL=skip/);
    });
  });
}
