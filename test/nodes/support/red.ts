/** A Node-RED (NR = the package: node-red or node-red-4) in which one node is tried out. */
import { EventEmitter, once } from 'node:events';
import { createRequire } from 'node:module';
import type { Node, NodeAPI, NodeInitializer, NodeMessage, NodeStatus } from 'node-red';
import camera from '../../../nodes/m2fp-camera/m2fp-camera.ts';
import colorize from '../../../nodes/m2fp-colorize/m2fp-colorize.ts';
import crop from '../../../nodes/m2fp-crop/m2fp-crop.ts';
import exportNode from '../../../nodes/m2fp-export/m2fp-export.ts';
import describePeople from '../../../nodes/m2fp-describe/m2fp-describe.ts';
import infer from '../../../nodes/m2fp-infer/m2fp-infer.ts';
import load from '../../../nodes/m2fp-load/m2fp-load.ts';
import mask from '../../../nodes/m2fp-mask/m2fp-mask.ts';
import model from '../../../nodes/m2fp-model/m2fp-model.ts';
import catalogue from '../../../nodes/m2fp-model/locales/en-US/m2fp-model.json' with { type: 'json' };
import jobs from '../../../nodes/m2fp-jobs/m2fp-jobs.ts';
import preview from '../../../nodes/m2fp-preview/m2fp-preview.ts';
import preprocess from '../../../nodes/m2fp-preprocess/m2fp-preprocess.ts';
import redact from '../../../nodes/m2fp-redact/m2fp-redact.ts';
import request from '../../../nodes/m2fp-request/m2fp-request.ts';
import response from '../../../nodes/m2fp-response/m2fp-response.ts';
import status from '../../../nodes/m2fp-status/m2fp-status.ts';
import track from '../../../nodes/m2fp-track/m2fp-track.ts';

export interface NodeConfig {
  id: string;
  type: string;
  [property: string]: unknown;
}

interface TestHelper {
  init(path: string): void;
  load(nodes: NodeInitializer[], flow: NodeConfig[], credentials?: object): Promise<void>;
  unload(): Promise<void>;
  setFlows(flow: NodeConfig[], type: 'full' | 'nodes' | 'flows'): Promise<void>;
  getNode(id: string): Node | null;
  settings(settings: object): void;
}

const require = createRequire(import.meta.url);
const runtime = require.resolve(process.env['NR'] ?? 'node-red');
const helper = require('node-red-node-test-helper') as TestHelper;
helper.init(runtime);

/** A core node's function, of the same Node-RED. */
export function coreNode(path: string): NodeInitializer {
  return createRequire(runtime)(`@node-red/nodes/core/${path}.js`) as NodeInitializer;
}

const TAB: NodeConfig = { id: 'tab', type: 'tab', label: 'test', disabled: false, info: '' };

/** The texts that the catalogue has for a key; the test helper's own `RED._` gives the key back. */
function translate(key: string, values: Record<string, unknown> = {}): string {
  const [, path = key] = key.split(':');
  let text: unknown = catalogue;
  for (const name of path.split('.')) text = (text as Record<string, unknown> | undefined)?.[name];
  return String(text).replace(/__(\w+)__/g, (_match, name: string) => String(values[name]));
}

let api: NodeAPI | undefined;

function withTexts(initialize: NodeInitializer): NodeInitializer {
  return (RED) => {
    api = RED;
    return initialize(Object.assign(Object.create(RED) as NodeAPI, { _: translate, hooks }));
  };
}

const NODES = [
  model,
  load,
  camera,
  preprocess,
  infer,
  colorize,
  crop,
  mask,
  describePeople,
  redact,
  exportNode,
  preview,
  request,
  response,
  jobs,
  status,
  track,
].map(withTexts);

/** The API that the nodes of the running flow were given. */
export function redApi(): NodeAPI {
  if (api === undefined) throw new Error('No flow was started');
  return api;
}

interface Completion {
  msg: NodeMessage;
  error?: { code?: string };
  node: { id: string };
}

const { hooks, events: runtimeEvents } = createRequire(runtime)('@node-red/util') as {
  events: EventEmitter;
  hooks: { add(name: string, listener: (event: Completion) => void): void; remove(name: string): void };
};

/** What came out of the flow: in `sent` by the node "out", in others by the Catch and the Complete node. */
export class Events extends EventEmitter {
  readonly sent: NodeMessage[] = [];
  readonly sentOnSecondWire: NodeMessage[] = [];
  readonly caught: CaughtMessage[] = [];
  readonly completed: NodeMessage[] = [];
  /** Of the node under test, also while the flow starts and stops. */
  readonly statuses: NodeStatus[] = [];
  /** Every `done` of the node under test, also while the flow stops and no Catch node listens any more. */
  readonly done: { msg: NodeMessage; code: string | undefined }[] = [];

  /** Resolves as soon as the condition holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await once(this, 'event');
  }

  /** Resolves when so many messages have come out of "out", or were caught. */
  async ended(count = 1): Promise<void> {
    await this.until(() => this.sent.length + this.caught.length >= count);
  }
}

export interface CaughtMessage extends NodeMessage {
  error: { message: string; code?: string; source: { id: string; type: string } };
  statusCode?: number;
}

/** Sets what settings.js would; the flows that start from now on have it. */
export function useSettings(settings: object): void {
  helper.settings(settings);
}

/**
 * Starts a flow of the given nodes, of which one has the id "node" and gets its outputs, a Catch and a Complete node
 * around it.
 * @param credentials by the nodes' ids
 */
export async function startFlow(
  nodes: NodeConfig[],
  extra: NodeInitializer[] = [],
  credentials: Record<string, object> = {},
): Promise<Events> {
  const events = watch();
  await helper.load([...NODES, ...extra], flowAround(nodes), credentials);
  for (const { id } of flowAround(nodes)) {
    if (id !== 'tab' && helper.getNode(id) === null) throw new Error(`The node ${id} was not created`);
  }
  return listen(events);
}

/** Deploys other nodes in place of those that run. */
export async function deploy(
  nodes: NodeConfig[],
  type: 'full' | 'nodes' | 'flows' = 'full',
): Promise<Events> {
  const events = new Events();
  const started = once(runtimeEvents, 'flows:started');
  await helper.setFlows(flowAround(nodes), type).catch((error: Error) => {
    // The helper itself waits for no more than 0.3 s.
    if (error.message !== 'timeout waiting event') throw error;
  });
  await started;
  watch(events);
  return listen(events);
}

function flowAround(nodes: NodeConfig[]): NodeConfig[] {
  // What has no place on the tab counts as a config node.
  const onTab = (node: NodeConfig): NodeConfig => ({ ...node, z: 'tab', x: 0, y: 0 });
  const wired = nodes.map((node) => {
    if (node.type === 'm2fp-model') return node;
    return onTab(node.id === 'node' ? { wires: [['out', 'out2']], ...node } : node);
  });
  const around = [
    { id: 'out', type: 'helper' },
    { id: 'out2', type: 'helper' },
    { id: 'catcher', type: 'catch', scope: null, uncaught: false, wires: [['caught']] },
    { id: 'caught', type: 'helper' },
    { id: 'completer', type: 'complete', scope: ['node'], wires: [['completed']] },
    { id: 'completed', type: 'helper' },
  ];
  // A flow may bring a Catch node of its own: the test helper fails where there are two.
  const missing = around.filter(({ id }) => !nodes.some((node) => node.id === id));
  return [TAB, ...wired, ...missing.map(onTab)];
}

let unwatch = (): void => {};

/** Begins to record what the runtime tells of the node under test, and ends it for the flow before. */
function watch(events = new Events()): Events {
  unwatch();
  const onStatus = (change: { id: string; status: NodeStatus }): void => {
    if (change.id !== 'node') return;
    events.statuses.push(change.status);
    events.emit('event');
  };
  runtimeEvents.on('node-status', onStatus);
  hooks.add('onComplete.m2fp-test', ({ msg, error, node }) => {
    if (node.id !== 'node') return;
    events.done.push({ msg, code: error?.code });
    events.emit('event');
  });
  unwatch = () => {
    runtimeEvents.off('node-status', onStatus);
    hooks.remove('*.m2fp-test');
    unwatch = () => {};
  };
  return events;
}

function listen(events: Events): Events {
  const collect = (id: string, into: (msg: NodeMessage) => void): void => {
    nodeOf(id).on('input', (msg, _send, done) => {
      into(msg);
      events.emit('event');
      done();
    });
  };
  collect('out', (msg) => events.sent.push(msg));
  collect('out2', (msg) => events.sentOnSecondWire.push(msg));
  collect('caught', (msg) => events.caught.push(msg as CaughtMessage));
  collect('completed', (msg) => events.completed.push(msg));
  return events;
}

export function nodeOf(id: string): Node {
  const node = helper.getNode(id);
  if (node === null) throw new Error(`There is no node ${id}`);
  return node;
}

/** Sends a message to the node under test. */
export function send(msg: NodeMessage): void {
  nodeOf('node').receive(msg);
}

export async function stopFlow(): Promise<void> {
  await helper.unload();
  unwatch();
}
