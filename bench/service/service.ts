/** The example "Parsing service" in a real Node-RED with the packed package, watched from inside. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { residentBytes } from '../../src/engine/local/process-memory.ts';
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import { example, freePort, NodeRed } from '../../test/support/node-red.ts';
import { childrenOf } from '../../test/support/processes.ts';

const PROBE = pathToFileURL(join(import.meta.dirname, 'loop-probe.mjs')).href;
const MEBIBYTE = 2 ** 20;

export interface LoopReading {
  /** How late a turn of the event loop came at the most. */
  longestMs: number;
  p99LateMs: number;
  nodeRedMB: number;
}

/** What a client got: the answer's parsing, or its status. */
export type Answered = { status: number; ms: number; timing?: ParsingSummary['timing'] };

export class BenchService {
  readonly #nodeRed: NodeRed;
  readonly #probe: string;

  private constructor(nodeRed: NodeRed, probe: string) {
    this.#nodeRed = nodeRed;
    this.#probe = probe;
  }

  /** @param model fields of its node; all others are the example's */
  static async start(model: object): Promise<BenchService> {
    const flow = example('4 Parsing service').map((node) =>
      node.type === 'm2fp-model' ? { ...node, ...model } : node,
    );
    const port = await freePort();
    // Node-RED is started with our environment, and is the only one that is to have this in it.
    Object.assign(process.env, { NODE_OPTIONS: `--import=${PROBE}`, M2FP_BENCH_PROBE: String(port) });
    try {
      return new BenchService(await NodeRed.start('node-red', flow), `http://127.0.0.1:${port}`);
    } finally {
      delete process.env['NODE_OPTIONS'];
      delete process.env['M2FP_BENCH_PROBE'];
    }
  }

  async parse(image: Buffer): Promise<Answered> {
    const start = performance.now();
    const response = await this.#nodeRed.post('/m2fp/api/parse', {
      body: new Uint8Array(image),
      headers: { 'content-type': 'image/jpeg' },
    });
    const body = (await response.json()) as ParsingSummary;
    const ms = performance.now() - start;
    return { status: response.status, ms, ...(response.ok && { timing: body.timing }) };
  }

  /** Since the last time that it was asked. */
  async loop(): Promise<LoopReading> {
    const told = (await (await fetch(this.#probe)).json()) as {
      longestMs: number;
      p99LateMs: number;
      rss: number;
    };
    return { longestMs: told.longestMs, p99LateMs: told.p99LateMs, nodeRedMB: told.rss / MEBIBYTE };
  }

  /** Of the processes that run the model here. */
  engineMB(): number {
    const sizes = childrenOf(this.#nodeRed.child.pid!).map((pid) => residentBytes(pid) ?? 0);
    return sizes.reduce((sum, size) => sum + size, 0) / MEBIBYTE;
  }

  async stop(): Promise<void> {
    await this.#nodeRed.stop();
  }
}
