/** What happens to the service while it answers. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { CHANGEABLE, changed } from './flow.ts';
import type { Random } from '../support/random.ts';
import { type DeployType, kill, type Service } from './service.ts';

export const FAULTS = ['engine', 'worker', 'redis', 'full', 'flows', 'nodes', 'unload'] as const;
export type Fault = (typeof FAULTS)[number];

const WITHOUT_WORKERS: Record<string, number> = { engine: 3, full: 2, flows: 2, nodes: 4, unload: 2 };
const WITH_WORKERS: Record<string, number> = { ...WITHOUT_WORKERS, engine: 2, worker: 3, redis: 3 };

export function anyFault(service: Service, random: Random): Fault {
  return random.weighted(service.redis ? WITH_WORKERS : WITHOUT_WORKERS) as Fault;
}

/** Resolves when it is over, and the service can work again. */
export async function happen(fault: Fault, service: Service, random: Random): Promise<void> {
  await HAPPENINGS[fault](service, random);
}

const HAPPENINGS: Record<Fault, (service: Service, random: Random) => Promise<void>> = {
  engine: async (service, random) => {
    const engines = service.engines();
    if (engines.length > 0) kill(random.pick(engines));
  },
  worker: async (service, random) => {
    await service.killWorker(random.pick(service.workers));
    await service.startWorker();
  },
  redis: async ({ redis }, random) => {
    await redis!.stop(random.pick(['SIGKILL', 'SIGTERM']));
    await pause(random.below(1000));
    await redis!.start();
  },
  full: (service) => service.deploy('full', service.flow),
  flows: (service, random) => partly('flows', service, random),
  nodes: (service, random) => partly('nodes', service, random),
  unload: async ({ nodeRed }) => {
    const response = await nodeRed.post('/unload');
    assert.ok(response.status < 500 || response.status === 503, `${response.status} of /unload`);
  },
};

function partly(type: DeployType, service: Service, random: Random): Promise<void> {
  return service.deploy(type, changed(service.flow, random.pick(CHANGEABLE)));
}
