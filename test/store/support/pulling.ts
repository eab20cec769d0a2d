/** Pulls from a hub into a folder that goes away, without waiting. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { convertCheckpoint } from '../../../src/store/convert.ts';
import { pullModel, type PullOptions, type PullTools } from '../../../src/store/pull.ts';
import { FakeClock, STALL_TIME } from './clock.ts';
import { Hub, MODEL_ID } from './hub.ts';

const PROXIES = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].flatMap((name) => [
  name,
  name.toUpperCase(),
]);

/** Takes the proxy settings out of the environment for the tests of a `describe`, and puts them back. */
export function withoutProxy(): void {
  const saved = new Map<string, string>();
  before(() => {
    for (const name of PROXIES) {
      const value = process.env[name];
      if (value !== undefined) saved.set(name, value);
    }
  });
  beforeEach(() => {
    for (const name of PROXIES) delete process.env[name];
  });
  after(() => {
    for (const name of PROXIES) delete process.env[name];
    for (const [name, value] of saved) process.env[name] = value;
  });
}

/** Conversion in this process: forking costs seconds, and has tests of its own. */
export const convert: PullTools['convert'] = convertCheckpoint;
/** For a pull that is not to come to it. */
export const never: PullTools['convert'] = () => Promise.reject(new Error('converted'));

export interface Bench {
  hub: Hub;
  clock: FakeClock;
  root: string;
  pull(options?: Partial<PullOptions>, tools?: Partial<PullTools>): ReturnType<typeof pullModel>;
  /** Where the model is kept. */
  modelFolder(): string;
  /** Checks that the store has no unfinished work. */
  nothingLeft(): void;
}

/** A hub, a clock and an empty store for each test. */
export function bench(): Bench {
  withoutProxy();
  const made: Bench = {
    hub: new Hub(),
    clock: new FakeClock(),
    root: '',
    pull: (options = {}, tools = {}) =>
      pullModel({
        id: MODEL_ID,
        root: made.root,
        baseUrl: made.hub.url,
        ...options,
        tools: { clock: made.clock, random: () => 1, stallTime: STALL_TIME, ...tools },
      }),
    modelFolder: () => join(made.root, ...MODEL_ID.split('/'), 'master'),
    nothingLeft() {
      const folder = join(made.root, '.partial');
      assert.deepEqual(existsSync(folder) ? readdirSync(folder) : [], []);
    },
  };
  beforeEach(async () => {
    made.hub = await new Hub().open();
    made.clock = new FakeClock();
    made.root = mkdtempSync(join(tmpdir(), 'm2fp-store-'));
  });
  afterEach(async () => {
    await made.hub.close();
    rmSync(made.root, { recursive: true, force: true });
  });
  return made;
}
