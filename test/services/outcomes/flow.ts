/** The example "Parsing service" with names that metrics tell apart, keys, and an address that unloads the model. */
import { example, type FlowNode } from '../../support/node-red.ts';
import { MAX_BODY } from './pictures.ts';

export const KEY = 'the-right-key';
/** Minutes that outcomes of jobs are kept: no fewer can be told. */
export const RETENTION = 1;
/** Whether a client stays for its answer: what metrics call a camera. */
export const STAYS = 'client';

/** Nodes of the example, by their ids. */
export const NODES = {
  request: 'm2fpe4reque00001',
  infer: 'm2fpe4infer00001',
  answer: 'm2fpe4answj00001',
  coloured: 'm2fpe4answp00001',
  jobRequest: 'm2fpeareque00001',
  jobs: 'm2fpeajobs000001',
  jobInfer: 'm2fpeainfer00001',
  jobAnswer: 'm2fpeaanswe00001',
  model: 'm2fpmodelbundled',
} as const;
export type Name = keyof typeof NODES;

const OF_REQUESTS = { maxBody: MAX_BODY, credentials: { keys: KEY } };
const TAB = 'm2fpe4tab0000000';

/** @param model the fields of its node that differ from the example's */
export function serviceFlow(model: object): FlowNode[] {
  const differences: Partial<Record<Name, object>> = {
    request: OF_REQUESTS,
    jobRequest: OF_REQUESTS,
    infer: { camera: `req.headers.${STAYS}` },
    jobs: { retention: RETENTION },
    // Small pictures at half their size: enough for people to be found in them, and quick.
    model: { ...model, shortSide: 64 },
  };
  const names = new Map(Object.entries(NODES).map(([name, id]) => [id as string, name as Name]));
  const nodes = example('4 Parsing service').map((node) => {
    const name = names.get(node.id);
    return name === undefined ? node : { ...node, name, ...differences[name] };
  });
  const place = { z: TAB, x: 0, y: 0 };
  return [
    ...nodes,
    { ...place, id: 'unload in', type: 'http in', url: '/unload', method: 'post', wires: [['unload']] },
    {
      ...place,
      id: 'unload',
      type: 'm2fp-load',
      model: NODES.model,
      action: 'unload',
      wires: [['unload out']],
    },
    { ...place, id: 'unload out', type: 'http response', wires: [] },
  ];
}

/** What a deploy of parts may change without a change of what is answered; undone by the next one of the same node. */
const CHANGES: Partial<Record<Name, [property: string, here: unknown, there: unknown]>> = {
  request: ['perMinute', '', 100_000],
  infer: ['limit', 8, 9],
  answer: ['view', 'overlay', 'map'],
  jobRequest: ['perMinute', '', 100_000],
  jobs: ['maxWait', 1440, 1441],
  jobInfer: ['limit', 8, 9],
  jobAnswer: ['view', 'overlay', 'map'],
  model: ['timeout', 60, 61],
};
export const CHANGEABLE = Object.keys(CHANGES) as Name[];

export function changed(flow: readonly FlowNode[], name: Name): FlowNode[] {
  const [property, here, there] = CHANGES[name]!;
  return flow.map((node) =>
    node.id === NODES[name] ? { ...node, [property]: node[property] === here ? there : here } : node,
  );
}
