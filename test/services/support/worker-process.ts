/** A worker as a process of its own, with shorter times than users have: `node worker-process.ts ADDRESS` (JSON). */
import type { WorkerAddress } from '../../../src/engine/remote/client/transport.ts';
import { startWorker } from '../../../src/engine/remote/worker/worker.ts';
import { shutdownEngines } from '../../../src/engine/index.ts';
import { bundledModelFolder } from '../../../src/paths.ts';
import { SHORT } from './times.ts';

const worker = await startWorker(
  {
    address: JSON.parse(process.argv[2]!) as WorkerAddress,
    engine: { model: bundledModelFolder(), threads: 1 },
    log: (line) => process.stderr.write(`${line}\n`),
  },
  { times: SHORT },
);
process.once('SIGTERM', () => void worker.close());
process.stderr.write('Serving\n');
await worker.ended;
await shutdownEngines();
