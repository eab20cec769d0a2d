/**
 * The process that an engine forks: it holds one loaded model and works off one request after the other.
 * onnxruntime blocks the thread that it runs on, and only a process can be killed in the middle of a run.
 */
import { serializeError } from '../../errors.ts';
import { learnDigests } from '../../store/digest.ts';
import { openPipeline, type Pipeline } from './pipeline.ts';
import { WASM_ONLY } from './runtime.ts';
import {
  asBuffer,
  type ChildMessage,
  type LoadMessage,
  type ParentMessage,
  type ParseMessage,
} from '../protocol.ts';

let pipeline: Pipeline | null = null;
/** The end of what was asked so far: requests keep their order, and `stop` comes after the running one. */
let work = Promise.resolve();

/** Resolves when the message is on its way: an exit before that would lose it. */
function send(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => process.send?.(message, undefined, undefined, () => resolve()));
}

async function load({
  id,
  model,
  digest,
  digests,
  threads,
  provider: wanted,
  warmUp,
}: LoadMessage): Promise<ChildMessage> {
  const begun = performance.now();
  learnDigests(digests);
  pipeline = await openPipeline(model, digest, threads, wanted === 'wasm' ? WASM_ONLY : undefined);
  if (warmUp) await pipeline.warmUp();
  const { provider, fallback } = pipeline;
  const loadSeconds = (performance.now() - begun) / 1000;
  return {
    type: 'ready',
    id,
    provider,
    ...(fallback !== null && { fallback }),
    loadSeconds,
    rss: process.memoryUsage.rss(),
  };
}

async function parse({ id, image, options, limits }: ParseMessage): Promise<ChildMessage> {
  if (pipeline === null) throw new Error('The engine process was asked to parse before it was told to load');
  const input = image instanceof Uint8Array ? asBuffer(image) : image;
  const parsing = await pipeline.parse(input, options, limits);
  return { type: 'result', id, parsing, rss: process.memoryUsage.rss() };
}

async function handle(message: ParentMessage): Promise<void> {
  if (message.type === 'stop') {
    await pipeline?.close();
    process.disconnect();
    return;
  }
  try {
    await send(await (message.type === 'load' ? load(message) : parse(message)));
  } catch (error) {
    await send({ type: 'error', id: message.id, error: serializeError(error) });
  }
}

process.title = 'm2fp-engine';
// A terminal's Ctrl+C and a service manager's stop reach every process of the group. Node-RED shuts down in order
// and ends this one itself; without Node-RED the channel closes, and that ends it too.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// While onnxruntime has the thread, nothing is heard of that: a child whose parent was killed ends with its run. A
// thread that watches the parent would end it sooner, and takes 17 MB all the time (measured).
process.on('disconnect', () => process.exit());
process.on('message', (message: ParentMessage) => {
  work = work.then(() => handle(message));
});
