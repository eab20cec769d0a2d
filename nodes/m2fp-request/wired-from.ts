/** The http in nodes whose requests come to a node as they are, and the parsing responses that answer them. */
import type { NodeAPI } from 'node-red';
import type { Endpoint } from '../common/broken-escapes.ts';
import {
  type Aliased,
  comesTo,
  nextOf,
  passesOn,
  reaches,
  type Stored,
  storedNodes,
} from '../common/flow-graph.ts';

/**
 * The http in nodes from which wires lead to `node`, directly or through link nodes, junctions and into a subflow. What
 * lies behind any other node is not one: that node may want what Node-RED reads.
 */
export function endpointsBefore(RED: NodeAPI, node: Aliased): Endpoint[] {
  return httpInsBefore(node, storedNodes(RED)).map((from) => endpointOf(RED, from));
}

function httpInsBefore(node: Aliased, stored: ReadonlyMap<string, Stored>): Stored[] {
  const target = node._alias ?? node.id;
  return [...stored.values()].filter(
    (from) => from.type === 'http in' && reaches(from, ({ id }) => id === target, passesOn, stored),
  );
}

/** What a picture may pass through on its way to a parsing response that surely answers the same request. */
const ON_THE_WAY = ['preprocess', 'infer', 'colorize', 'crop', 'redact', 'preview'].map(
  (name) => `m2fp-${name}`,
);

const JOBS = 'm2fp-jobs';

/** A parsing response that may answer. */
export interface Answerer {
  /** Its form. */
  stored: Stored;
  /** Whether it answers a job, which is asked for by another request. */
  isLater: boolean;
}

/** The parsing responses of which one surely answers what `node` sends; none where something else may do so. */
export function answerersBehind(RED: NodeAPI, node: Aliased): Answerer[] {
  const stored = storedNodes(RED);
  const known = new Map<string, Answerer[]>();
  const behind = (id: string): Answerer[] => {
    const before = known.get(id);
    if (before) return before;
    // For whoever comes here once more, in a circle.
    known.set(id, []);
    const next = stored.get(id);
    const found = next ? answerers(next) : [];
    known.set(id, found);
    return found;
  };
  const answerers = (from: Stored): Answerer[] => {
    if (from.type === 'm2fp-response') return [{ stored: from, isLater: false }];
    if (from.type === 'switch') {
      const ways = (from.wires ?? []).map((ids) => ids.flatMap(behind));
      return ways.every((way) => way.length > 0) ? ways.flat() : [];
    }
    if (from.type === JOBS) return laterOf((from.wires?.[0] ?? []).flatMap(behind));
    return ON_THE_WAY.includes(from.type) || passesOn(from) ? nextOf(from, stored).flatMap(behind) : [];
  };
  const own = stored.get(node._alias ?? node.id);
  return own ? nextOf(own, stored).flatMap(behind) : [];
}

const laterOf = (found: readonly Answerer[]): Answerer[] =>
  found.map((answerer) => ({ ...answerer, isLater: true }));

/** Whether what `node` sends may come to a jobs node, through whatever nodes. */
export function hasJobsBehind(RED: NodeAPI, node: Aliased): boolean {
  const stored = storedNodes(RED);
  return comesTo(stored.get(node._alias ?? node.id), ({ type }) => type === JOBS, stored);
}

/** Nodes that hand messages on by their wires alone. */
const BY_WIRES =
  'debug change switch function delay template json split join batch sort trigger range rbe junction complete unknown'.split(
    ' ',
  );

/** Whether all that becomes of a message there is known from flows. */
const handsOn = ({ type, linkType }: Stored): boolean =>
  linkType !== 'dynamic' &&
  (BY_WIRES.includes(type) ||
    type.startsWith('m2fp-') ||
    type.startsWith('link ') ||
    type.startsWith('subflow:'));

/**
 * Whether each request that an http in node has for `node` may get an answer: not where what that http in node sends comes only to
 * nodes that hand messages on. An http response node answers, and so may functions, and nodes of others.
 */
export function mayRequestsBeAnswered(RED: NodeAPI, node: Aliased): boolean {
  const stored = storedNodes(RED);
  const mayAnswer = (next: Stored): boolean => next.type === 'function' || !handsOn(next);
  return httpInsBefore(node, stored).every((from) => from.d === true || comesTo(from, mayAnswer, stored));
}

/**
 * Whether what the first output of `node` sends may come to a parsing response: not where there are only nodes behind that hand
 * messages on by wires, and none of them is one. Of all others nobody knows.
 */
export function mayJobsBeAnswered(RED: NodeAPI, node: Aliased): boolean {
  const stored = storedNodes(RED);
  const own = stored.get(node._alias ?? node.id);
  if (own === undefined) return true;
  const mayAnswer = (next: Stored): boolean => next.type === 'm2fp-response' || !handsOn(next);
  return comesTo({ ...own, wires: (own.wires ?? []).slice(0, 1) }, mayAnswer, stored);
}

/** As the running node has it, whose address may hold what an environment variable says. */
function endpointOf(RED: NodeAPI, { id, url = '', method = '' }: Stored): Endpoint {
  const running = RED.nodes.getNode(id) as Partial<Endpoint> | null;
  const address = running?.url ?? url;
  return { url: address.startsWith('/') ? address : `/${address}`, method: running?.method ?? method };
}
