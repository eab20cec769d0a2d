/** What the node knows of the flow behind it: which answers there can be, and whether jobs are taken. */
import assert from 'node:assert/strict';
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { WhatFollows } from '../../../nodes/m2fp-request/what-follows.ts';
import { mayJobsBeAnswered } from '../../../nodes/m2fp-request/wired-from.ts';
import { example } from '../../support/node-red.ts';

interface FlowNode {
  id: string;
  type: string;
  [field: string]: unknown;
}

const redOf = (flow: readonly FlowNode[]): NodeAPI => {
  const nodes = { eachNode: (tell: (node: FlowNode) => void) => flow.forEach(tell) };
  return { nodes } as unknown as NodeAPI;
};
const followsOf = (flow: readonly FlowNode[], id = 'node'): WhatFollows =>
  new WhatFollows(redOf(flow), { id } as Node);
const node = (id: string, type: string, ...wires: string[][]): FlowNode => ({ id, type, wires });
const asking = (response: object, accept?: string): NodeMessageInFlow => ({
  _msgid: '',
  payload: undefined,
  m2fp: { response },
  req: { on() {}, headers: { accept } },
});

const INFER = node('infer', 'm2fp-infer', ['next'], ['events']);
const RESPONSE = node('answer', 'm2fp-response', ['out']);
const WRONG = asking({ view: 'labels', format: 'jpeg' });
const UNACCEPTABLE = asking({}, 'text/html');

/** What lies between infer and the response, and whether that answers for sure. */
const BETWEEN: [what: string, flow: FlowNode[], isSure: boolean][] = [
  ['nothing', [{ ...INFER, wires: [['answer'], []] }], true],
  ['a junction', [INFER, node('next', 'junction', ['answer'])], true],
  ['a redact node', [INFER, node('next', 'm2fp-redact', ['answer'])], true],
  [
    'a switch whose ways all lead there',
    [INFER, node('next', 'switch', ['answer'], ['more', 'answer'])],
    true,
  ],
  ['a switch with a way that leads elsewhere', [INFER, node('next', 'switch', ['answer'], ['more'])], false],
  ['a switch with a way that leads nowhere', [INFER, node('next', 'switch', ['answer'], [])], false],
  ['a function', [INFER, node('next', 'function', ['answer'])], false],
  ['a circle', [INFER, node('next', 'switch', ['answer'], ['infer'])], false],
];

describe('what follows a parsing request', () => {
  for (const [what, flow, isSure] of BETWEEN) {
    it(`${isSure ? 'refuses what it cannot answer' : 'is asked first'}: ${what} before the response`, () => {
      const follows = followsOf([node('node', 'm2fp-request', ['infer']), ...flow, RESPONSE]);
      const check = (msg: NodeMessageInFlow) => () => follows.checkAnswer(msg);
      assert.doesNotThrow(check(asking({ view: 'labels' }, 'image/png')));
      assert.doesNotThrow(check(asking({ format: 'png' }, 'text/html')));
      if (isSure) {
        assert.throws(check(WRONG), { code: 'M2FP_BAD_OPTION', message: /"format" is "jpeg"/ });
        assert.throws(check(UNACCEPTABLE), { code: 'M2FP_NOT_ACCEPTABLE' });
      } else {
        assert.doesNotThrow(check(WRONG));
        assert.doesNotThrow(check(UNACCEPTABLE));
      }
    });
  }

  it('goes by the form of the response, where that is right', () => {
    const flow = [node('node', 'm2fp-request', ['answer'])];
    const labels = followsOf([...flow, { ...RESPONSE, view: 'labels', format: 'png' }]);
    assert.throws(() => labels.checkAnswer(asking({ format: 'webp' })), { code: 'M2FP_BAD_OPTION' });
    assert.doesNotThrow(() => labels.checkAnswer(asking({ format: 'webp', view: 'map' })));
    const unset = followsOf([...flow, { ...RESPONSE, view: '${VIEW}' }]);
    assert.doesNotThrow(() => unset.checkAnswer(WRONG));
  });

  it('refuses only what none of several responses can answer', () => {
    const follows = followsOf([
      node('node', 'm2fp-request', ['next']),
      node('next', 'switch', ['answer'], ['labels']),
      RESPONSE,
      { ...RESPONSE, id: 'labels', view: 'labels' },
    ]);
    assert.doesNotThrow(() => follows.checkAnswer(asking({ format: 'jpeg' })));
    assert.throws(() => follows.checkAnswer(WRONG), { code: 'M2FP_BAD_OPTION' });
  });

  it('takes no job that can never be answered, and heeds "Accept" in none', () => {
    const jobs = node('jobs', 'm2fp-jobs', ['infer'], ['out']);
    const follows = followsOf([
      node('node', 'm2fp-request', ['jobs']),
      jobs,
      INFER,
      node('next', 'junction', ['answer']),
      RESPONSE,
      node('out', 'http response'),
    ]);
    assert.throws(() => follows.checkAnswer(WRONG), { code: 'M2FP_BAD_OPTION' });
    assert.doesNotThrow(() => follows.checkAnswer(UNACCEPTABLE));
    assert.ok(follows.hasJobs);
  });

  it('is looked at again after a deploy', () => {
    const flow = [node('node', 'm2fp-request', ['answer']), RESPONSE];
    const follows = followsOf(flow);
    assert.throws(() => follows.checkAnswer(WRONG), { code: 'M2FP_BAD_OPTION' });
    assert.equal(follows.hasJobs, false);
    flow[0] = node('node', 'm2fp-request', ['jobs']);
    flow.push(node('jobs', 'm2fp-jobs', [], []));
    assert.equal(follows.hasJobs, false);
    follows.forget();
    assert.doesNotThrow(() => follows.checkAnswer(WRONG));
    assert.ok(follows.hasJobs);
  });

  it('is a jobs node behind whatever lies between', () => {
    const jobs = node('jobs', 'm2fp-jobs');
    const flows: FlowNode[][] = [
      [node('node', 'm2fp-request', ['f']), node('f', 'function', [], ['jobs'])],
      [
        node('node', 'm2fp-request', ['l']),
        { ...node('l', 'link out'), links: ['in'] },
        node('in', 'link in', ['jobs']),
      ],
      [
        { ...node('node', 'm2fp-request', []), z: 'sub' },
        node('sub', 'subflow'),
        node('instance', 'subflow:sub', ['jobs']),
      ],
      [
        node('node', 'm2fp-request', ['instance']),
        { ...node('sub', 'subflow'), in: [{ wires: [{ id: 'inner' }] }] },
        node('instance', 'subflow:sub', []),
        { ...node('inner', 'junction', ['jobs']), z: 'sub' },
      ],
      [
        node('node', 'm2fp-request', ['call']),
        { ...node('call', 'link call', ['jobs']), links: ['in'] },
        node('in', 'link in', ['back']),
        { ...node('back', 'link out'), mode: 'return' },
      ],
    ];
    for (const flow of flows) {
      assert.ok(followsOf([...flow, jobs]).hasJobs, JSON.stringify(flow));
      assert.ok(!followsOf([...flow, { ...jobs, type: 'other' }]).hasJobs);
    }
  });

  const ANSWER = node('answer', 'm2fp-response', ['out']);
  const OUT = node('out', 'http response');
  const PARSED = [
    node('in', 'http in', ['node']),
    node('node', 'm2fp-request', ['infer']),
    node('infer', 'm2fp-infer', ['answer'], []),
  ];
  const more = (...wires: string[]): FlowNode[] => [
    node('in', 'http in', ['node', 'more']),
    node('more', 'change', wires),
    ...PARSED.slice(1),
  ];
  const ANSWERED: [what: string, flow: FlowNode[], isAnswered: boolean][] = [
    ['through a parsing response', [...PARSED, ANSWER, OUT], true],
    ['but its parsing response was deleted', [...PARSED, OUT], false],
    ['but its parsing response is disabled', [...PARSED, { ...ANSWER, d: true }, OUT], false],
    ['but the http response node was deleted', [...PARSED, ANSWER], false],
    [
      'but only what Catch gets is answered',
      [...PARSED, node('catch', 'catch', ['error']), { ...ANSWER, id: 'error' }, OUT],
      false,
    ],
    ['by a function, for all that is known', [...PARSED, node('answer', 'function', [])], true],
    ['by a node of others, for all that is known', [...PARSED, node('answer', 'mqtt out')], true],
    ['where the message says', [...PARSED, { ...node('answer', 'link call'), linkType: 'dynamic' }], true],
    ['before the model has run', [...more('out'), OUT], true],
    ['but what it has beside leads nowhere', [...more('gone'), OUT], false],
    [
      'when infer is done with it',
      [...PARSED, { ...node('done', 'complete', ['out']), scope: ['infer'] }, OUT],
      true,
    ],
    [
      'but what is done with it is another node',
      [...PARSED, { ...node('done', 'complete', ['out']), scope: ['other'] }, OUT],
      false,
    ],
    ['and by nobody asked over HTTP', PARSED.slice(1), true],
    ['and its http in node is disabled', [{ ...PARSED[0]!, d: true }, ...PARSED.slice(1)], true],
    ['by a jobs node', [...PARSED.slice(0, 2), node('infer', 'm2fp-jobs', ['gone'], ['out']), OUT], true],
  ];
  for (const [what, flow, isAnswered] of ANSWERED) {
    it(`is ${isAnswered ? 'answered' : 'not answered'}, ${what}`, () => {
      assert.equal(followsOf(flow).isAnswered, isAnswered);
    });
  }

  it('is an answer for a job also where a complete node leads to it', () => {
    const flow = [node('jobs', 'm2fp-jobs', ['infer'], []), node('infer', 'm2fp-infer', [], []), RESPONSE];
    const complete = (of: string): FlowNode => ({ ...node('done', 'complete', ['answer']), scope: [of] });
    const isAnswered = (of: string): boolean =>
      mayJobsBeAnswered(redOf([...flow, complete(of)]), { id: 'jobs' } as Node);
    assert.deepEqual([isAnswered('infer'), isAnswered('answer')], [true, false]);
  });

  it('is answered, or not, as the last deploy has it', () => {
    const flow = [...PARSED, ANSWER, OUT];
    const follows = followsOf(flow);
    assert.ok(follows.isAnswered);
    flow.splice(3, 1);
    assert.ok(follows.isAnswered);
    follows.forget();
    assert.ok(!follows.isAnswered);
  });

  it('is all known in the example', () => {
    const flow = example('4 Parsing service');
    const [pictures, jobs] = flow.filter(({ type }) => type === 'm2fp-request');
    for (const [{ id }, isForJobs] of [
      [pictures!, false],
      [jobs!, true],
    ] as const) {
      const follows = followsOf(flow, id);
      assert.equal(follows.hasJobs, isForJobs);
      assert.ok(follows.isAnswered);
      const unanswered = flow.filter(({ type }) => type !== 'm2fp-response');
      // A jobs node answers by itself.
      assert.equal(followsOf(unanswered, id).isAnswered, isForJobs);
      assert.throws(() => follows.checkAnswer(WRONG), { code: 'M2FP_BAD_OPTION' });
    }
  });
});
