/** What a user is told of an address before anything is parsed there. */
import type { Clock } from '../../clock.ts';
import type { ModelManifest } from '../../m2fp/manifest.ts';
import { discover } from './discover.ts';
import type { LinkFactory, WorkerAddress, WorkerFacts } from './link.ts';
import { checkWorkerAddress, CONNECT_PATIENCE } from './options.ts';

export interface RemoteDescription {
  /** Of the model that workers have; of the one that most places have, where there are several. */
  manifest: ModelManifest;
  /** At least one. */
  workers: readonly WorkerFacts[];
}

export interface DescribeOptions {
  /** Milliseconds that a first worker is waited for; default 3000. */
  patience?: number;
  /** What tests replace. */
  link?: LinkFactory;
  clock?: Clock;
}

/**
 * Looks who works at the address, through a link of its own that is closed again.
 *
 * @throws {M2fpError} `M2FP_BAD_OPTION`; `M2FP_ENGINE_UNAVAILABLE` where nobody answers, or nobody works there
 */
export async function describeRemote(
  address: WorkerAddress,
  { patience = CONNECT_PATIENCE, link: factory, clock }: DescribeOptions = {},
): Promise<RemoteDescription> {
  const { link, manifest, workers } = await discover(checkWorkerAddress(address), {
    patience,
    link: factory,
    clock,
  });
  await link.close();
  return { manifest, workers: [...workers] };
}
