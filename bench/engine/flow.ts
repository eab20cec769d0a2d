/** A flow in a real Node-RED with the installed package: a picture by HTTP, the model loaded and unloaded. */
import { once } from 'node:events';
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import { type FlowNode, NodeRed } from '../../test/support/node-red.ts';
import { childrenOf } from '../../test/support/processes.ts';

/** Milliseconds after which something must have gone wrong. */
const PATIENCE = 120_000;
const STARTED = 'Started flows';

const TAB = 'benchtab';

/** A node without a place would be a configuration node to Node-RED. */
const PLACE = { z: TAB, x: 0, y: 0 };

function endpoint(path: string, nodes: readonly FlowNode[]): FlowNode[] {
  const first: FlowNode = { id: `in${path}`, type: 'http in', url: path, method: 'post', wires: [] };
  const chain = [first, ...nodes];
  return chain.map((node, i) => ({ ...node, ...PLACE, wires: [[chain[i + 1]?.id ?? 'response']] }));
}

function flowOf(model: string): FlowNode[] {
  // Not by the action's name: a property that is another node's id is a reference to Node-RED.
  const load = (action: string): FlowNode => ({
    id: `do ${action}`,
    type: 'm2fp-load',
    model: 'model',
    action,
  });
  return [
    { id: TAB, type: 'tab', label: 'bench' },
    { id: 'model', type: 'm2fp-model', source: 'folder', folder: model, threads: 0, processes: 1 },
    ...endpoint('/parse', [
      { id: 'infer', type: 'm2fp-infer', model: 'model', picture: 'payload', pictureType: 'msg' },
    ]),
    ...endpoint('/load', [load('load')]),
    ...endpoint('/unload', [load('unload')]),
    { id: 'catch', type: 'catch', ...PLACE, scope: null, wires: [['response']] },
    { id: 'response', type: 'http response', ...PLACE, wires: [] },
  ];
}

export class BenchFlow {
  readonly #nodeRed: NodeRed;
  readonly #flow: FlowNode[];

  private constructor(nodeRed: NodeRed, flow: FlowNode[]) {
    this.#nodeRed = nodeRed;
    this.#flow = flow;
  }

  /** Resolves when the flow runs; the model is not loaded yet. @param model its folder */
  static async start(model: string): Promise<BenchFlow> {
    const flow = flowOf(model);
    return new BenchFlow(await NodeRed.start('node-red', flow), flow);
  }

  async parse(image: Buffer): Promise<ParsingSummary> {
    const body = new Uint8Array(image);
    return (await this.#post('/parse', {
      body,
      headers: { 'content-type': 'image/jpeg' },
    })) as ParsingSummary;
  }

  /** Resolves when the model is ready. */
  async load(): Promise<void> {
    await this.#post('/load');
  }

  async unload(): Promise<void> {
    await this.#post('/unload');
  }

  /** Deploys everything anew, as the editor's button does; resolves when the flow runs. */
  async deploy(): Promise<void> {
    const deploys = this.#nodeRed.log.split(STARTED).length;
    await this.#post('/flows', {
      body: JSON.stringify({ flows: this.#flow }),
      headers: {
        'content-type': 'application/json',
        'node-red-api-version': 'v2',
        'node-red-deployment-type': 'full',
      },
    });
    // Node-RED answers before it has started them.
    while (this.#nodeRed.log.split(STARTED).length === deploys) await once(this.#nodeRed.child, 'log');
  }

  /** The engine's processes. */
  processes(): number[] {
    return childrenOf(this.#nodeRed.child.pid!);
  }

  async stop(): Promise<void> {
    await this.#nodeRed.stop();
  }

  async #post(path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await this.#nodeRed.post(path, { ...init, signal: AbortSignal.timeout(PATIENCE) });
    if (!response.ok) {
      throw new Error(`Node-RED answered ${path} with ${response.status}:\n${this.#nodeRed.log}`);
    }
    return response.json();
  }
}
