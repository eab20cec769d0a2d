/** A process that pulls a model; tells its progress and its result to the process that forked it. */
import { serializeError } from '../../../src/errors.ts';
import { pullModel, type PullOptions } from '../../../src/store/pull.ts';

export type PullerMessage =
  | { type: 'progress'; phase: string; file: string | null; received: number }
  | { type: 'done'; digest: string; made: boolean }
  | { type: 'error'; message: string };

const send = (message: PullerMessage) => process.send?.(message);
const options = JSON.parse(process.argv[2] ?? '{}') as PullOptions;

process.on('disconnect', () => process.exit());
try {
  const { manifest, made } = await pullModel({
    ...options,
    onProgress: ({ phase, file, received }) => send({ type: 'progress', phase, file, received }),
  });
  send({ type: 'done', digest: manifest.digest, made });
} catch (error) {
  send({ type: 'error', message: serializeError(error).message });
}
process.disconnect();
