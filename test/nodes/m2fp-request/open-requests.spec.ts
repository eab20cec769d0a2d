/** Requests that a deploy loses on their way between two nodes: Node-RED drops what is sent to a node that is replaced. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { mock } from 'node:test';
import type { Node, NodeAPI, NodeMessageInFlow } from 'node-red';
import { takeInHand } from '../../../nodes/common/held-requests.ts';
import { OpenRequests } from '../../../nodes/m2fp-request/open-requests.ts';

/** What a response has been given. */
interface Played extends EventEmitter {
  writableEnded: boolean;
  told: { status?: number; body?: string; headers?: Record<string, string> };
}

function respond(): Played {
  const told: Played['told'] = {};
  const response = Object.assign(new EventEmitter(), {
    headersSent: false,
    writableEnded: false,
    destroyed: false,
    told,
    writeHead: (status: number, headers: Record<string, string>) => Object.assign(told, { status, headers }),
    end: (body: Buffer) => {
      told.body = String(body);
      response.writableEnded = true;
      response.emit('close');
    },
  });
  return response;
}

describe('a request that is on its way when a deploy begins', () => {
  let events: EventEmitter;
  let open: OpenRequests;
  let isListening: boolean;
  let response: Played;
  let msg: NodeMessageInFlow;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    events = new EventEmitter();
    const nodes = { getNode: (id: string) => ({ z: id.startsWith('here') ? 'tab' : 'elsewhere' }) };
    const RED = { events, nodes } as unknown as NodeAPI;
    open = new OpenRequests(RED, { id: 'here', z: 'tab' } as Node);
    isListening = true;
    response = respond();
    msg = { _msgid: '1', res: { _res: response } };
    open.add(response as unknown as ServerResponse);
  });
  afterEach(() => mock.timers.reset());

  const deploy = (type: string, changed: string[] = []): void => {
    events.emit('flows:stopping', { type, diff: { changed, removed: [], rewired: [], linked: [] } });
  };
  const started = (): void => void events.emit('flows:started');
  const close = (): void => open.close(() => (isListening = false));

  it('is answered where the whole flow was replaced', () => {
    deploy('full');
    close();
    started();
    mock.timers.tick(2000);
    const { status, headers, body } = response.told;
    assert.deepEqual(
      [status, headers!['content-type'], headers!['retry-after']],
      [499, 'application/problem+json', '1'],
    );
    assert.match(body!, /M2FP_CANCELLED/);
  });

  it('is answered where those nodes of the flow were replaced that were changed', () => {
    deploy('nodes', ['here too']);
    mock.timers.tick(60_000);
    assert.deepEqual(response.told, {});
    started();
    mock.timers.tick(10_000);
    assert.equal(response.told.status, 499);
  });

  it('is left alone where another flow was deployed', () => {
    for (const type of ['flows', 'nodes']) {
      deploy(type, ['another']);
      started();
      mock.timers.tick(60_000);
    }
    assert.deepEqual(response.told, {});
  });

  it('is left alone while a node of ours has it, or where one has it later', () => {
    const letGo = takeInHand(msg);
    deploy('full');
    started();
    mock.timers.tick(2000);
    assert.deepEqual(response.told, {});
    letGo();
    deploy('full');
    takeInHand(msg)();
    mock.timers.tick(60_000);
    assert.deepEqual(response.told, {});
  });

  it('is left alone where it has its answer', () => {
    deploy('full');
    response.writableEnded = true;
    response.emit('close');
    mock.timers.tick(60_000);
    assert.deepEqual(response.told, {});
  });

  it('is told of until the node is there that takes the place of one that was closed', () => {
    deploy('nodes', ['here']);
    close();
    assert.equal(isListening, true);
    const late = respond();
    open.add(late as unknown as ServerResponse);
    started();
    assert.equal(isListening, false);
    mock.timers.tick(10_000);
    assert.equal(late.told.status, 499);
  });

  it('does not keep a node that is closed from being forgotten', () => {
    deploy('full');
    close();
    assert.equal(isListening, false);
  });
});
