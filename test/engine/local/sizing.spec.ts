import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { automaticLimit, OVERDRAFT, poolSize, thisMachine } from '../../../src/engine/local/sizing.ts';

const MODEL = 0.8e9;
const machine = (cores: number, gigabytes: number) => ({ cores, freeMemory: gigabytes * 1e9 });

describe('poolSize', () => {
  it('shares the cores out among the processes, at least one for each', () => {
    assert.deepEqual(poolSize({ processes: 1, threads: 0 }, MODEL, machine(8, 1)), {
      processes: 1,
      threads: 8,
    });
    assert.deepEqual(poolSize({ processes: 3, threads: 0 }, MODEL, machine(8, 1)), {
      processes: 3,
      threads: 2,
    });
    assert.deepEqual(poolSize({ processes: 4, threads: 0 }, MODEL, machine(2, 1)), {
      processes: 4,
      threads: 1,
    });
  });

  it('keeps what was asked for, whether or not it fits', () => {
    const size = { processes: 9, threads: 5 };
    assert.deepEqual(poolSize(size, MODEL, machine(2, 0.1)), size);
  });

  it('chooses one process for every four cores', () => {
    const chosen = [1, 2, 4, 7, 8, 12, 16].map((cores) =>
      poolSize({ processes: 0, threads: 0 }, MODEL, machine(cores, 100)),
    );
    assert.deepEqual(
      chosen.map(({ processes }) => processes),
      [1, 1, 1, 1, 2, 3, 4],
    );
    assert.deepEqual(
      chosen.map(({ threads }) => threads),
      [1, 2, 4, 7, 4, 4, 4],
    );
  });

  it('chooses one for every so many threads where these are given', () => {
    assert.deepEqual(poolSize({ processes: 0, threads: 2 }, MODEL, machine(8, 100)), {
      processes: 4,
      threads: 2,
    });
    assert.deepEqual(poolSize({ processes: 0, threads: 16 }, MODEL, machine(8, 100)), {
      processes: 1,
      threads: 16,
    });
  });

  it('chooses as many as half of the free memory holds, and gives each its share of the cores', () => {
    assert.deepEqual(poolSize({ processes: 0, threads: 0 }, MODEL, machine(16, 3.3)), {
      processes: 2,
      threads: 8,
    });
    assert.deepEqual(poolSize({ processes: 0, threads: 0 }, MODEL, machine(16, 0.1)), {
      processes: 1,
      threads: 16,
    });
  });

  it('finds out about this machine', () => {
    const { cores, freeMemory } = thisMachine();
    assert.ok(cores >= 1 && freeMemory > 0);
  });
});

describe('automaticLimit', () => {
  const MEBIBYTE = 2 ** 20;
  const limit = (bytes: number, processes: number, gigabytes: number): number =>
    automaticLimit(bytes, processes, { memory: gigabytes * 2 ** 30 }) * MEBIBYTE;

  for (const gigabytes of [0.5, 1, 2, 4, 64]) {
    for (const processes of [1, 2]) {
      it(`has ${processes === 1 ? 'the process' : 'both processes'} killed before ${gigabytes} GB are used up`, () => {
        const most = limit(100e6, processes, gigabytes) * OVERDRAFT * processes;
        assert.ok(most <= gigabytes * 2 ** 30 * 0.81, `${most} of ${gigabytes} GB`);
      });
    }
  }

  it('leaves room for a photo of 50 megapixels beside the bundled model where there is 1 GB', () => {
    // Measured: 750 MiB at most, a progressive JPEG after many other pictures.
    assert.ok(limit(250e6, 1, 1) * OVERDRAFT > 750 * MEBIBYTE);
  });

  it('allows a model what it needs, however small the machine', () => {
    assert.ok(limit(870e6, 2, 1) > 870e6);
  });

  it('goes by what this machine, or its container, has', () => {
    const { memory, freeMemory } = thisMachine();
    assert.ok(memory > 0 && memory <= totalmem());
    assert.ok(freeMemory <= totalmem());
  });
});
