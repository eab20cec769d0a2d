/** Who stands in a zone stays sharp, and nobody else: infer, track and redact from the packed package in a real Node-RED. */
import assert from 'node:assert/strict';
import sharp from 'sharp';
import { decodeRle } from '../../src/parsing/masks/rle.ts';
import type { Parsing, Rle } from '../../src/parsing/types.ts';
import { twoPeople } from '../support/images.ts';
import { example, type FlowNode, NodeRed } from '../support/node-red.ts';

/** What the flow answers. */
interface Answer {
  /** Base64. */
  picture: string;
  redacted: { persons: number[]; kept: number[] };
  parsing: Parsing;
}

/** `outline`: of somebody else's whole mask, but of none of the parts. */
type Owner = 'kept' | 'other' | 'outline' | 'none';

const HIDDEN = [255, 0, 255];
/** The one person on the left of the sample stands in it. */
const LEFT = {
  name: 'left',
  kind: 'zone',
  points: [
    [0, 0],
    [0.5, 0],
    [0.5, 1],
    [0, 1],
  ],
};

const ANSWER = `
  const { redacted, parsing: { persons, parts, doubtful } } = msg;
  msg.payload = { picture: msg.payload.toString('base64'), redacted, parsing: { persons, parts, doubtful } };
  return msg;`;

const RIGHT = { ...LEFT, points: LEFT.points.map(([x, y]) => [x! + 0.5, y]) };

/** For each way a flow of its own at the address of its name. */
const WAYS = {
  zone: { between: [{ type: 'm2fp-track', zones: JSON.stringify([LEFT]) }] },
  'all but the zone': { between: [{ type: 'm2fp-track', zones: JSON.stringify([LEFT]) }], inverse: true },
  'no track node': { between: [] },
  'no such zone': { between: [{ type: 'm2fp-track', zones: JSON.stringify([{ ...LEFT, name: 'right' }]) }] },
  'a zone of another case beside it': {
    between: [
      {
        type: 'm2fp-track',
        zones: JSON.stringify([
          { ...LEFT, name: 'Door, left' },
          { ...RIGHT, name: 'door, left' },
        ]),
      },
    ],
    keep: 'zone "Door, left"',
  },
  'the state is lost': {
    between: [
      { type: 'm2fp-track', zones: JSON.stringify([LEFT]) },
      { type: 'change', rules: [{ t: 'set', p: 'payload', pt: 'msg', to: 'a text', tot: 'str' }] },
    ],
  },
} as const;
type Way = keyof typeof WAYS;

function flowOf(way: Way): FlowNode[] {
  const { between, ...options } = { inverse: false, ...WAYS[way] };
  const chain = [
    { type: 'http in', url: `/${encodeURIComponent(way)}`, method: 'post' },
    { type: 'm2fp-infer', model: MODEL.id, configVersion: 2 },
    ...between,
    {
      type: 'm2fp-redact',
      method: 'fill',
      color: '#ff00ff',
      labels: '',
      grow: 0,
      keep: 'zone left',
      format: 'png',
      configVersion: 1,
      ...options,
    },
    { type: 'function', func: ANSWER },
    { type: 'http response' },
  ];
  return chain.map((node, at) => ({
    ...node,
    id: `${way} ${at}`,
    z: 'tab-1',
    x: 0,
    y: 0,
    wires: at + 1 < chain.length ? [[`${way} ${at + 1}`]] : [],
  }));
}

const MODEL = example('2 HTTP API').find(({ type }) => type === 'm2fp-model')!;
const REFUSE = 'msg.statusCode = msg.error.statusCode ?? 400; msg.payload = msg.error.code; return msg;';

describe('redact behind track', function () {
  this.timeout(90_000);
  let nodeRed: NodeRed;
  let original: Buffer;

  before(async () => {
    original = await pixelsOf(twoPeople);
    const place = { z: 'tab-1', x: 0, y: 0 };
    nodeRed = await NodeRed.start('node-red', [
      { id: 'tab-1', type: 'tab', label: 'Redact' },
      MODEL,
      ...(Object.keys(WAYS) as Way[]).flatMap(flowOf),
      { ...place, id: 'catch-1', type: 'catch', scope: null, uncaught: false, wires: [['refuse-1']] },
      { ...place, id: 'refuse-1', type: 'function', func: REFUSE, wires: [['refused-1']] },
      { ...place, id: 'refused-1', type: 'http response', wires: [] },
    ]);
  });
  after(() => nodeRed?.stop());

  const post = (way: Way, body: Buffer): Promise<Response> =>
    nodeRed.post(`/${encodeURIComponent(way)}`, {
      body: new Uint8Array(body),
      headers: { 'content-type': 'application/octet-stream' },
    });
  async function answerOf(way: Way): Promise<Answer> {
    const response = await post(way, twoPeople);
    assert.equal(response.status, 200, await response.clone().text());
    return (await response.json()) as Answer;
  }

  /** For each pixel: what is there of the one who is kept, of somebody else, or of nobody. */
  function ownersIn({ parsing, redacted }: Answer): Owner[] {
    const owners = Array<Owner>(original.length / 3).fill('none');
    const paint = (regions: { mask: Rle }[], owner: Owner): void => {
      for (const { mask } of regions) {
        decodeRle(mask).forEach((inside, at) => {
          if (inside === 1) owners[at] = owner;
        });
      }
    };
    const { persons, parts, doubtful } = parsing;
    const isKept = (id: number | null): boolean => redacted.kept.includes(id ?? 0);
    const others = [...persons, ...doubtful.persons].filter(({ id }) => !isKept(id));
    paint(
      parts.filter(({ person }) => isKept(person)),
      'kept',
    );
    // Where both are, it is somebody else's.
    paint(others, 'outline');
    paint(
      [...parts, ...doubtful.parts].filter(({ person }) => !isKept(person)),
      'other',
    );
    return owners;
  }

  /** Which share of the pixels of each owner is hidden; all others must be those of the original. */
  async function hiddenOf(answer: Answer): Promise<Record<Owner, number>> {
    const shown = await pixelsOf(Buffer.from(answer.picture, 'base64'));
    const counts = { kept: [0, 0], other: [0, 0], outline: [0, 0], none: [0, 0] };
    ownersIn(answer).forEach((owner, at) => {
      const isLike = (color: Uint8Array | number[]): boolean =>
        color.every((value, channel) => shown[at * 3 + channel] === value);
      const isHidden = isLike(HIDDEN);
      assert.ok(isHidden || isLike(original.subarray(at * 3, at * 3 + 3)), `pixel ${at}`);
      counts[owner][0]! += Number(isHidden);
      counts[owner][1]!++;
    });
    const share = ([hidden, all]: number[]): number => (all === 0 ? NaN : hidden! / all!);
    return {
      kept: share(counts.kept),
      other: share(counts.other),
      outline: share(counts.outline),
      none: share(counts.none),
    };
  }

  it('keeps who stands in the zone, and hides everybody else', async () => {
    const answer = await answerOf('zone');
    const { persons } = answer.parsing;
    assert.equal(persons.length, 2);
    const [left] = persons.toSorted((a, b) => a.box.x - b.box.x);
    assert.deepEqual(answer.redacted.kept, [left!.id]);
    assert.deepEqual(
      answer.redacted.persons,
      persons.map(({ id }) => id).filter((id) => id !== left!.id),
    );
    const { kept, other, none } = await hiddenOf(answer);
    assert.equal(other, 1);
    // But for what no person has.
    assert.ok(kept < 0.02, `${kept}`);
    assert.ok(none < 0.001, `${none}`);
  });

  it('keeps nobody of a zone whose name differs in its case alone', async () => {
    const answer = await answerOf('a zone of another case beside it');
    const [left] = answer.parsing.persons.toSorted((a, b) => a.box.x - b.box.x);
    assert.deepEqual([answer.parsing.persons.length, answer.redacted.kept], [2, [left!.id]]);
    assert.equal((await hiddenOf(answer)).other, 1);
  });

  it('hides all else, where only the zone is to be seen', async () => {
    const answer = await answerOf('all but the zone');
    assert.equal(answer.redacted.kept.length, 1);
    const { kept, ...others } = await hiddenOf(answer);
    assert.deepEqual(others, { other: 1, outline: 1, none: 1 });
    assert.ok(kept < 0.02, `${kept}`);
  });

  for (const way of ['no track node', 'no such zone', 'the state is lost'] as const) {
    it(`keeps nobody: ${way}`, async () => {
      const answer = await answerOf(way);
      assert.deepEqual(answer.redacted.kept, []);
      assert.equal(answer.redacted.persons.length, 2);
      const { kept, other } = await hiddenOf(answer);
      assert.deepEqual([kept, other], [NaN, 1]);
    });
  }

  it('shows no picture that could not be parsed', async () => {
    const response = await post('zone', Buffer.from('no picture'));
    assert.ok(response.status >= 400, `${response.status}`);
    assert.match(await response.text(), /^M2FP_/);
  });
});

/** RGB. */
function pixelsOf(image: Buffer): Promise<Buffer> {
  return sharp(image).removeAlpha().toColorspace('srgb').raw().toBuffer();
}
