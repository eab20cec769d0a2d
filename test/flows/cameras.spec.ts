/** Cameras that share a model, from the packed package in a real Node-RED. */
import assert from 'node:assert/strict';
import { CameraServer } from '../camera/support/camera-server.ts';
import { twoPeople } from '../support/images.ts';
import { type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';

const NAMES = ['door', 'yard', 'hall'];

for (const version of VERSIONS) {
  describe(`cameras of one model (${version})`, function () {
    this.timeout(60_000);
    let server: CameraServer;
    let nodeRed: NodeRed;

    /** @param name of the infer node; one camera comes to it over links */
    const flow = (name: string): FlowNode[] => [
      { id: 'tab', type: 'tab', label: 'Cameras' },
      ...NAMES.map((camera) => ({
        id: camera,
        type: 'm2fp-camera',
        z: 'tab',
        x: 0,
        y: 0,
        name: camera,
        source: 'snapshot',
        address: server.url(`/${camera}`),
        wires: [[camera === 'hall' ? 'out' : 'infer'], []],
      })),
      { id: 'out', type: 'link out', z: 'tab', x: 0, y: 0, mode: 'link', links: ['in'], wires: [] },
      { id: 'in', type: 'link in', z: 'tab', x: 0, y: 0, links: ['out'], wires: [['infer']] },
      { id: 'infer', type: 'm2fp-infer', z: 'tab', x: 0, y: 0, name, wires: [[], []] },
    ];
    /** Resolves when each camera has been asked so many times more. */
    const asked = async (times: number): Promise<void> => {
      const from = server.requests.length;
      const count = (name: string): number =>
        server.requests.slice(from).filter(({ url }) => url === `/${name}`).length;
      while (NAMES.some((name) => count(name) < times)) await server.asked();
    };

    before(async () => {
      server = await new CameraServer().start();
      server.handler = (_request, response) => void response.end(twoPeople);
      nodeRed = await NodeRed.start(version, flow('before'));
    });
    after(async () => {
      await nodeRed?.stop();
      await server?.stop();
    });

    it('take turns, and go on when their flow is deployed anew', async () => {
      await asked(4);
      for (const name of ['once', 'twice']) {
        const response = await nodeRed.post('/flows', {
          headers: { 'Content-Type': 'application/json', 'Node-RED-Deployment-Type': 'flows' },
          body: JSON.stringify(flow(name)),
        });
        assert.equal(response.status, 204);
        await asked(4);
      }
      assert.doesNotMatch(nodeRed.log, /M2FP_BUSY|TypeError|[Uu]ncaught/);
    });
  });
}
