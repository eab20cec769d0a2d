/** The nodes with the real engine and the model that ships with the package. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeMessage } from 'node-red';
import sharp from 'sharp';
import type { ModelFacts } from '../../nodes/common/model-facts.ts';
import { shutdownEngines } from '../../src/engine/index.ts';
import type { ParsingSummary } from '../../src/parsing/summary.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { nodeConfig } from './support/flows.ts';
import { notPlain } from './support/plain-data.ts';
import { deploy, nodeOf, send, startFlow, stopFlow } from './support/red.ts';

const SAMPLES = new URL('../../models/demo/samples/', import.meta.url);

describe('the nodes with the bundled model', function () {
  this.timeout(120_000);
  const image = readFileSync(new URL('two-people.png', SAMPLES));
  const model = nodeConfig('m2fp-model', 'model', { threads: 1 });

  afterEach(async () => {
    await stopFlow();
    await shutdownEngines();
  });

  it('tell what the model is, without loading it', async () => {
    const events = await startFlow([
      model,
      nodeConfig('m2fp-load', 'node', { model: 'model', action: 'info' }),
    ]);
    send({});
    await events.ended();
    const facts = events.sent[0]!.payload as ModelFacts;
    assert.equal(facts.state, 'idle');
    assert.equal(facts.kind, 'multi');
    assert.equal(facts.labels.at(-1), 'Human');
  });

  it('load, warm up and unload it', async () => {
    const events = await startFlow([
      model,
      nodeConfig('m2fp-load', 'node', { model: 'model', action: 'warm-up' }),
    ]);
    send({});
    await events.ended();
    assert.deepEqual(events.caught, []);
    const facts = events.sent[0]!.payload as ModelFacts;
    assert.equal(facts.state, 'ready');
    assert.ok(facts.loadSeconds! > 0);
    send({ payload: { action: 'unload' } });
    await events.ended(2);
    assert.equal((events.sent[1]!.payload as ModelFacts).state, 'idle');
  });

  it('take what lies in its folder after an unload, also where that is another model', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'm2fp-replaced-'));
    try {
      await cp(new URL('../../models/demo/', import.meta.url), folder, { recursive: true });
      const manifest = JSON.parse(await readFile(join(folder, 'm2fp.json'), 'utf8')) as object;
      const events = await startFlow([
        { ...model, source: 'folder', folder },
        nodeConfig('m2fp-load', 'load', { model: 'model', action: 'unload', wires: [['out']] }),
        nodeConfig('m2fp-infer', 'node', { model: 'model' }),
        nodeConfig('m2fp-status', 'health', { format: 'ready', wires: [['out']] }),
      ]);
      const digest = async (): Promise<string> => {
        const before = events.sent.length;
        send({ payload: image });
        await events.until(() => events.sent.length > before || events.caught.length > 0);
        assert.deepEqual(events.caught, []);
        return (events.sent.at(-1) as { parsing: Parsing }).parsing.model.digest;
      };
      const first = await digest();
      nodeOf('load').receive({ payload: '' });
      await events.until(() => events.sent.length === 2);
      await writeFile(join(folder, 'm2fp.json'), JSON.stringify({ ...manifest, scoreThreshold: 0.32 }));
      const second = await digest();
      assert.notEqual(second, first);
      assert.equal(await digest(), second);
      nodeOf('health').receive({});
      await events.until(() => 'statusCode' in events.sent.at(-1)!);
      assert.equal((events.sent.at(-1) as { statusCode?: number }).statusCode, 200);
    } finally {
      await stopFlow();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('make of a picture parts of persons, a coloured picture and crops', async () => {
    const events = await startFlow([
      model,
      nodeConfig('m2fp-preprocess', 'first', { model: 'model', wires: [['node']] }),
      nodeConfig('m2fp-infer', 'node', { model: 'model', wires: [['out', 'paint']] }),
      nodeConfig('m2fp-colorize', 'paint', { wires: [['cut']] }),
      nodeConfig('m2fp-crop', 'cut', { what: 'persons', output: 'array', wires: [['out2']] }),
    ]);
    const copy = Buffer.from(image);
    nodeOf('first').receive({ payload: image, topic: 'x' });
    await events.until(
      () => events.caught.length > 0 || (events.sent.length > 0 && events.sentOnSecondWire.length > 0),
    );
    assert.deepEqual(events.caught, []);
    const [parsed] = events.sent as [NodeMessage];
    const parsing = parsed['parsing'] as Parsing;
    const { width, height } = await sharp(image).metadata();
    assert.deepEqual([parsing.width, parsing.height], [width, height]);
    assert.deepEqual(notPlain(parsed), []);
    const summary = parsed.payload as ParsingSummary;
    assert.deepEqual(JSON.parse(JSON.stringify(summary)), summary);
    assert.ok(summary.persons.length > 0, 'the sample shows people');
    assert.ok(image.equals(copy));
    const [cropped] = events.sentOnSecondWire as [NodeMessage];
    assert.equal((cropped.payload as unknown[]).length, parsing.persons.length);
    assert.deepEqual(notPlain(cropped), []);
  });

  it('go on after a deploy in the middle of a run', async () => {
    const flow = [
      model,
      nodeConfig('m2fp-infer', 'node', { model: 'model' }),
      nodeConfig('m2fp-load', 'info', { model: 'model', action: 'info', wires: [['out']] }),
    ];
    const events = await startFlow(flow);
    // Enlarged, so that it runs longer than the status rests.
    send({ payload: image, m2fp: { shortSide: 1024, longSide: 1024 } });
    await events.until(() => events.statuses.some(({ text }) => text?.endsWith('status.running')));
    const after = await deploy(flow);
    assert.deepEqual(
      events.done.map(({ code }) => code),
      ['M2FP_CANCELLED'],
    );
    send({ payload: image });
    await after.ended();
    assert.deepEqual(after.caught, []);
    const parsing = after.sent[0]!['parsing'] as Parsing;
    assert.ok(parsing.timing.inference > 0);
    nodeOf('info').receive({});
    await after.ended(2);
    // The engine may have found a new process cheaper than the end of the run that nobody wants.
    assert.ok((after.sent[1]!.payload as ModelFacts).restarts <= 1);
  });
});
