/** Makes what does the work of the node, and opens where its jobs are kept. */
import { join, resolve } from 'node:path';
import type { Node, NodeAPI } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import type { Claim, JobStore } from '../../src/service/jobs/types.ts';
import { SpoolStore } from '../../src/service/jobs/spool/spool-store.ts';
import { asSetupFault } from '../common/failure.ts';
import { noteMisfit } from '../common/fitness.ts';
import { modelNode } from '../common/model.ts';
import { services } from '../common/services.ts';
import type { StatusLine } from '../common/status.ts';
import { type JobsConfig, type JobsCredentials, type JobSettings, readSettings } from './config.ts';
import { tellsOf } from './figures.ts';
import { JobOffice } from './office.ts';

/** Nothing where the form is wrong, with what is wrong: it is said of each message, and shown. */
export function openOffice(
  RED: NodeAPI,
  node: Node<JobsCredentials>,
  config: JobsConfig,
  status: StatusLine,
  report: (error: unknown) => void,
): { value?: JobOffice; failure?: unknown } {
  try {
    const settings = readSettings(config, node.credentials?.webhookSecret);
    const send = ({ id, image, message, attempts }: Claim, run: number): void => {
      const job = { id, attempt: attempts, run, node: node.id };
      node.send([{ ...message, payload: image, job }, null]);
    };
    return {
      value: new JobOffice({
        settings,
        open: (signal) => openStore(RED, node, config.model, settings, signal),
        send,
        isDown: async () => (await services.list()).some(({ state }) => state === 'failed'),
        ...tellsOf(node),
        onError: report,
        onChange: (waiting, n) => status.done(status.text('result.jobs', { n, waiting })),
      }),
    };
  } catch (failure) {
    status.error(failure);
    noteMisfit(node, failure);
    return { failure: asSetupFault(failure) };
  }
}

/** In the Redis of the model's workers, or in the user folder. */
async function openStore(
  RED: NodeAPI,
  node: Node,
  id: string,
  { line, limits }: JobSettings,
  signal: AbortSignal,
): Promise<JobStore> {
  const model = modelNode(RED, id);
  if (id && !model) {
    throw new M2fpError(
      'M2FP_MODEL_NOT_FOUND',
      'The model that is chosen is disabled, or was deleted: choose another one, or none, which means a folder here.',
    );
  }
  const address = model?.workerAddress();
  if (!address) {
    return SpoolStore.open(join(resolve(RED.settings.userDir ?? '.'), 'm2fp', 'jobs', line), limits);
  }
  const { RedisStore } = await import('../../src/service/jobs/redis/redis-store.ts');
  const store = await RedisStore.open(address, line, limits, signal);
  if (store.warning !== null) node.warn(store.warning);
  return store;
}
