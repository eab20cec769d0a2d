/** The example of tracking, from the packed package in a real Node-RED. */
import assert from 'node:assert/strict';
import { debugSidebar } from '../support/debug-sidebar.ts';
import { example, NodeRed, VERSIONS } from '../support/node-red.ts';

const FIVE_PICTURES = 'm2fp10injec00001';
const [STATE, EVENTS] = ['m2fp10debug00001', 'm2fp10debug00002'];
/** Two people walk past one another: in each picture so many are there, and so many stand on the left. */
const STATES = [1, 1, 0, 0, 1].map((left, index) => `picture ${index + 1}: 2 people, left: ${left}`);
const HAPPENED = [
  'new 1',
  'new 2',
  'enter 2 left',
  'leave 2 left',
  'cross 2 middle in',
  'cross 1 middle out',
  'enter 1 left',
];

for (const version of VERSIONS) {
  describe(`the example of tracking (${version})`, function () {
    this.timeout(60_000);
    let nodeRed: NodeRed;
    let sidebar: Awaited<ReturnType<typeof debugSidebar>>;

    before(async () => {
      nodeRed = await NodeRed.start(version, example('10 Track and count'));
      sidebar = await debugSidebar(nodeRed.url);
    });
    after(async () => {
      sidebar?.close();
      await nodeRed?.stop();
    });

    it('follows two people who pass one another, and begins anew when it is pressed again', async () => {
      for (const round of [1, 2]) {
        await nodeRed.inject(FIVE_PICTURES);
        const states = await sidebar.texts(STATE, round * STATES.length);
        assert.deepEqual(states.slice(-STATES.length), STATES);
        const events = await sidebar.texts(EVENTS, round * HAPPENED.length);
        assert.deepEqual(events.slice(-HAPPENED.length), HAPPENED);
      }
    });
  });
}
