/** The page about metrics tells of each that there is, and of no other. */
import assert from 'node:assert/strict';
import { Metrics } from '../../src/observe/metrics.ts';
import { read } from './pages.ts';

describe('the page about metrics', () => {
  for (const page of ['docs/metrics.md', 'docs/zh-CN/metrics.md']) {
    it(`tells each metric with its type: ${page}`, async () => {
      const metrics = new Metrics();
      const families = await metrics.json({ engines: [] });
      metrics.close();
      const rows = [...read(page).matchAll(/^\| (`[^|]+`)\s*\| (\w+)/gm)].flatMap(([, names, type]) =>
        [...names!.matchAll(/`(\w+)`/g)].map(([, name]) => `${name} ${type}`),
      );
      assert.deepEqual(rows.toSorted(), families.map(({ name, type }) => `${name} ${type}`).toSorted());
    });
  }
});
