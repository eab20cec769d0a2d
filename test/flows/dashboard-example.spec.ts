import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/installed-package.ts';
import type { FlowNode } from '../support/node-red.ts';

describe('the example for Dashboard 2', () => {
  const [name] = readdirSync(join(root, 'examples')).filter((file) => file.startsWith('Dashboard'));
  const nodes = JSON.parse(readFileSync(join(root, 'examples', name!), 'utf8')) as FlowNode[];

  it('says in its name what it needs, and tells the import dialog', () => {
    assert.match(name!, /needs @flowfuse node-red-dashboard/);
    const needs = nodes.find(({ type }) => type === 'global-config')?.['modules'] as object;
    assert.deepEqual(Object.keys(needs), ['@flowfuse/node-red-dashboard']);
  });

  it('puts every widget on the page', () => {
    const byId = new Map(nodes.map((node) => [node.id, node]));
    const above = {
      'ui-file-input': 'group',
      'ui-template': 'group',
      'ui-notification': 'ui',
      'ui-group': 'page',
    };
    for (const node of nodes.filter(({ type }) => type in above)) {
      const property = above[node.type as keyof typeof above];
      const target = byId.get(String(node[property]));
      assert.equal(target?.type, property === 'ui' ? 'ui-base' : `ui-${property}`, node.type);
    }
  });
});
