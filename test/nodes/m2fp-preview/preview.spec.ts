import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { Preview, type Subject, type Thumbnail } from '../../../nodes/m2fp-preview/preview.ts';
import type { Parsing } from '../../../src/parsing/types.ts';
import { FakeClock } from '../../engine/support/fakes.ts';
import { exampleParsing } from '../support/fake-engine.ts';

describe('what a preview shows', () => {
  let clock: FakeClock;
  let preview: Preview;
  let parsing: Parsing;
  let events: EventEmitter;
  let changes: (Thumbnail | null)[];
  let failures: unknown[];

  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await once(events, 'event');
  };

  beforeEach(async () => {
    parsing = await exampleParsing();
    clock = new FakeClock();
    events = new EventEmitter();
    changes = [];
    failures = [];
    const listener = {
      changed: (thumbnail: Thumbnail | null) => {
        changes.push(thumbnail);
        events.emit('event');
      },
      failed: (error: unknown) => {
        failures.push(error);
        events.emit('event');
      },
    };
    preview = new Preview({ view: 'overlay', size: 4, minScore: 0.3 }, listener, clock);
  });
  afterEach(() => preview.close());

  const broken = (): Subject => ({ parsing: { ...parsing, image: Buffer.from('no picture') } });

  it('is drawn at once, and no second one before half a second has passed', async () => {
    preview.show({ parsing });
    await until(() => changes.length === 1);
    assert.deepEqual([changes[0]!.width, changes[0]!.height, changes[0]!.seq], [4, 2, 1]);
    preview.show({ parsing });
    assert.deepEqual(clock.pending(), [500]);
    clock.advance(500);
    await until(() => changes.length === 2);
    assert.equal(changes[1]!.seq, 2);
  });

  it('is the latest of those that came meanwhile', async () => {
    const latest = await exampleParsing();
    preview.show({ parsing });
    preview.show(broken());
    preview.show({ parsing: latest });
    await until(() => changes.length === 1);
    clock.advance(500);
    await until(() => changes.length === 2);
    assert.deepEqual(failures, []);
    assert.deepEqual(clock.pending(), []);
    assert.equal((await preview.detail())!.parsed!.facts.width, latest.width);
  });

  it('tells what cannot be drawn, and goes on', async () => {
    preview.show(broken());
    await until(() => failures.length === 1);
    preview.show({ parsing });
    clock.advance(500);
    await until(() => changes.length === 1);
  });

  it('is made large once, and only when asked for', async () => {
    assert.equal(preview.detail(), undefined);
    preview.show({ parsing });
    await until(() => changes.length === 1);
    const first = preview.detail();
    assert.equal(preview.detail(), first);
    const { source, parsed } = (await first)!;
    assert.deepEqual([source.width, source.height], [parsing.width, parsing.height]);
    assert.deepEqual([parsed!.maps.width, parsed!.maps.height], [parsing.width, parsing.height]);
  });

  it('has no maps for a picture without a parsing', async () => {
    preview.show({ image: parsing.image });
    await until(() => changes.length === 1);
    assert.deepEqual(changes[0]!.legend, []);
    assert.equal((await preview.detail())!.parsed, null);
  });

  it('is nothing after it was cleared, and no picture is kept', async () => {
    preview.show({ parsing });
    await until(() => changes.length === 1);
    preview.show({ parsing });
    preview.clear();
    assert.deepEqual(changes.slice(1), [null]);
    assert.equal(preview.thumbnail, null);
    assert.equal(preview.detail(), undefined);
    assert.deepEqual(clock.pending(), []);
  });

  it('is nothing where it was cleared during the first drawing, and keeps no picture', async () => {
    preview.show({ parsing });
    preview.clear();
    // What is shown later is drawn after what was under way.
    preview.show({ parsing });
    clock.advance(500);
    await until(() => changes.length === 1);
    assert.equal(changes[0]!.seq, 1);
    preview.clear();
    assert.deepEqual(changes.slice(1), [null]);
    preview.show(broken());
    preview.clear();
    clock.advance(500);
    preview.show({ parsing });
    clock.advance(500);
    await until(() => changes.length === 3);
    assert.deepEqual(failures, []);
  });

  it('shows nothing more after it was closed', async () => {
    preview.close();
    preview.show(broken());
    assert.deepEqual(clock.pending(), []);
    assert.deepEqual([changes, failures], [[], []]);
  });
});
