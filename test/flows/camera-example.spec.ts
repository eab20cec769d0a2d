/** The example of a camera, from the packed package in a real Node-RED. */
import assert from 'node:assert/strict';
import { CameraServer } from '../camera/support/camera-server.ts';
import { debugSidebar } from '../support/debug-sidebar.ts';
import { twoPeople } from '../support/images.ts';
import { example, type FlowNode, NodeRed, VERSIONS } from '../support/node-red.ts';

const PATH = '/m2fp/example/camera.jpg';
const [START, NEXT, STOP] = ['m2fpecinjec00001', 'm2fpecinjec00002', 'm2fpecinjec00003'];
const [PEOPLE, STATE] = ['m2fpecdebug00001', 'm2fpecdebug00002'];

for (const version of VERSIONS) {
  describe(`the example of a camera (${version})`, function () {
    this.timeout(60_000);
    let camera: CameraServer;
    let nodeRed: NodeRed;
    let sidebar: Awaited<ReturnType<typeof debugSidebar>>;

    before(async () => {
      camera = await new CameraServer().start();
      camera.handler = (_request, response) => void response.end(twoPeople);
      // Node-RED has another port here than users have.
      const env = [{ name: 'CAMERA', value: camera.url(PATH), type: 'str' }];
      const adapted = (node: FlowNode): FlowNode => (node.type === 'tab' ? { ...node, env } : node);
      nodeRed = await NodeRed.start(version, example('12 Camera').map(adapted));
      sidebar = await debugSidebar(nodeRed.url);
    });
    after(async () => {
      sidebar?.close();
      await nodeRed?.stop();
      await camera?.stop();
    });

    it('plays a camera that the form names', async () => {
      const [node] = example('12 Camera').filter(({ type }) => type === 'tab');
      assert.match(JSON.stringify(node!['env']), new RegExp(`http://127\\.0\\.0\\.1:1880${PATH}`));
      const response = await fetch(nodeRed.url + PATH);
      assert.equal(response.headers.get('content-type'), 'image/jpeg');
      assert.ok((await response.arrayBuffer()).byteLength > 5000);
    });

    it('parses what has moved, says that it is still, and stops', async () => {
      assert.equal(camera.requests.length, 0);
      await nodeRed.inject(START);
      assert.deepEqual(await sidebar.texts(PEOPLE, 1), ['1: 2 people']);
      const states = async (count: number) =>
        (await sidebar.texts(STATE, count)).map((text) => {
          const { state, reason, still } = JSON.parse(text) as {
            state: string;
            reason: string;
            still: boolean;
          };
          return reason ?? (still ? 'still' : state);
        });
      assert.deepEqual(await states(2), ['online', 'still']);
      await nodeRed.inject(NEXT);
      assert.deepEqual(await sidebar.texts(PEOPLE, 2), ['1: 2 people', '2: 2 people']);
      await nodeRed.inject(STOP);
      assert.deepEqual(await states(3), ['online', 'still', 'stopped']);
    });
  });
}
