import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeMessage } from 'node-red';
import { nodeReasons } from '../../../nodes/common/fitness.ts';
import { noteOwner } from '../../../nodes/common/requester.ts';
import { endJob, jobOf, type JobMark } from '../../../nodes/common/job.ts';
import type { JobView } from '../../../src/service/jobs/view.ts';
import { twoPeople } from '../../support/images.ts';
import { nodeConfig } from '../support/flows.ts';
import {
  type CaughtMessage,
  deploy,
  type Events,
  type NodeConfig,
  send,
  startFlow,
  stopFlow,
  useSettings,
} from '../support/red.ts';

type Told = NodeMessage & { statusCode: number; headers: Record<string, string> };

const SECRET = `whsec_${Buffer.alloc(32, 'x').toString('base64')}`;

/** What the parsing response node hands over. */
const json = (statusCode: number, content: object) => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(content)),
});

describe('m2fp-jobs', () => {
  let userDir: string;
  let events: Events;

  const jobs = (properties: object = {}): NodeConfig[] => [
    nodeConfig('m2fp-jobs', 'node', { wires: [['out'], ['out2']], ...properties }),
  ];
  const request = (method: string, url: string, more: object = {}): NodeMessage => {
    const [path = '', query] = url.split('?');
    const id = path.split('/')[4];
    return {
      req: {
        method,
        originalUrl: url,
        params: { id },
        query: Object.fromEntries(new URLSearchParams(query)),
      },
      ...more,
    };
  };
  const post = (more: object = {}): NodeMessage =>
    request('POST', '/m2fp/api/jobs', { payload: twoPeople, m2fp: { flip: true }, topic: 'door', ...more });

  /** What the node answers to a message on its second output. */
  const ask = async (msg: NodeMessage): Promise<Told> => {
    const [before, caught] = [events.sentOnSecondWire.length, events.caught.length];
    send(msg);
    await events.until(() => events.sentOnSecondWire.length > before || events.caught.length > caught);
    assert.deepEqual(
      events.caught.slice(caught).map(({ error }) => error),
      [],
    );
    return events.sentOnSecondWire.at(-1) as Told;
  };
  const view = ({ payload }: NodeMessage): JobView =>
    (Buffer.isBuffer(payload) ? JSON.parse(payload.toString()) : payload) as JobView;
  const refuse = async (msg: NodeMessage): Promise<CaughtMessage> => {
    const before = events.caught.length;
    send(msg);
    await events.until(() => events.caught.length > before);
    return events.caught.at(-1)!;
  };
  const look = async (path: string): Promise<JobView> => view(await ask(request('GET', path)));
  const sent = async (count: number): Promise<NodeMessage & { job: JobMark }> => {
    await events.until(() => events.sent.length >= count);
    return events.sent[count - 1] as NodeMessage & { job: JobMark };
  };
  const pictures = (): string[] => globSync('m2fp/jobs/jobs/queued/*', { cwd: userDir });

  beforeEach(async () => {
    userDir = await mkdtemp(join(tmpdir(), 'm2fp-jobs-node-'));
    useSettings({ userDir });
  });
  afterEach(async () => {
    await stopFlow();
    useSettings({});
    await rm(userDir, { recursive: true, force: true });
  });

  describe('as it is at first', () => {
    beforeEach(async () => {
      events = await startFlow(jobs());
    });

    it('leads to a job from wherever a proxy shows the service, with a slash at the end or without', async () => {
      for (const [at, prefix] of [
        ['/m2fp/api/jobs', 'https://a.example/people'],
        ['/m2fp/api/jobs/', 'https://a.example/people'],
        ['/m2fp/api/jobs?flip', 'http://a.example'],
      ] as const) {
        const told = await ask({ ...post(), ...request('POST', at) });
        const { id } = view(told);
        const asked = `${prefix}${at}`;
        const { pathname } = new URL(told.headers['location']!, asked);
        assert.equal(pathname, `${new URL(prefix).pathname.replace(/\/$/, '')}/m2fp/api/jobs/${id}`);
        const msg = await sent(events.sent.length + 1);
        await endJob(structuredClone(msg), json(200, {}));
        for (const slash of ['', '/']) {
          const path = `/m2fp/api/jobs/${id}${slash}`;
          const { resultUrl } = await look(path);
          const result = new URL(resultUrl!, `${prefix}${path}`);
          assert.deepEqual([result.pathname, result.search], [pathname, '?result']);
        }
      }
    });

    it('takes no picture that can never be parsed: nothing is kept of it', async () => {
      const tooLarge = Buffer.from(twoPeople);
      tooLarge.writeUInt32BE(60_000, 16);
      tooLarge.writeUInt32BE(60_000, 20);
      for (const [payload, code] of [
        [tooLarge, 'M2FP_IMAGE_TOO_LARGE'],
        [twoPeople.subarray(0, 20), 'M2FP_BAD_IMAGE'],
        [Buffer.from('a text'), 'M2FP_UNSUPPORTED_FORMAT'],
      ] as const) {
        const { error } = await refuse(post({ payload }));
        assert.equal(error.code, code);
      }
      assert.deepEqual(pictures(), []);
    });

    it('takes no options of a request about a job but "result", which is true or false', async () => {
      const { id } = view(await ask(post()));
      await endJob(structuredClone(await sent(1)), json(200, { persons: [] }));
      const path = `/m2fp/api/jobs/${id}`;
      const bodyOf = async (query: string) => String((await ask(request('GET', `${path}?${query}`))).payload);
      for (const query of ['result', 'result=true', 'result=1', 'result=TRUE'])
        assert.equal(await bodyOf(query), '{"persons":[]}', query);
      for (const query of ['result=false', 'result=0'])
        assert.match(await bodyOf(query), /"state":"done"/, query);
      for (const [method, query, words] of [
        ['GET', 'result=yes', /"result" is "yes"; allowed: true, false/],
        ['GET', 'result&result', /"result" is given 2 times/],
        ['GET', 'results', /no option "results"; allowed: result\./],
        ['GET', 'format=png', /no option "format"; allowed: result\./],
        ['DELETE', 'result', /no option "result"; allowed: none\./],
      ] as const) {
        const { error } = await refuse(request(method, `${path}?${query}`));
        assert.equal(error.code, 'M2FP_BAD_OPTION');
        assert.match(error.message, words);
      }
      events.caught.length = 0;
      assert.equal((await look(path)).state, 'done');
    });

    it('accepts a picture, sends it into the flow, and tells what came of it', async () => {
      const told = await ask(post());
      assert.equal(told.statusCode, 202);
      const { id, state, place, error } = view(told);
      assert.deepEqual([state, place, error], ['queued', 1, null]);
      const path = `/m2fp/api/jobs/${id}`;
      assert.equal(told.headers['location'], `jobs/${id}`);
      const msg = await sent(1);
      assert.deepEqual(msg.payload, twoPeople);
      const { m2fp, topic, job, req } = msg as unknown as Record<string, unknown>;
      assert.deepEqual([m2fp, topic, req], [{ flip: true }, 'door', undefined]);
      assert.deepEqual(job, { id, attempt: 1, run: (job as JobMark).run, node: 'node' });
      assert.equal((await look(path)).state, 'running');
      assert.equal(await endJob(structuredClone(msg), json(200, { persons: [1, 2] })), true);
      const done = await look(path);
      assert.deepEqual([done.state, done.resultType], ['done', 'application/json']);
      assert.deepEqual((done as unknown as { result: unknown }).result, { persons: [1, 2] });
      assert.equal(done.resultUrl, `${id}?result`);
      const result = await ask(request('GET', `${path}?result`));
      assert.deepEqual([result.statusCode, String(result.payload)], [200, '{"persons":[1,2]}']);
      assert.deepEqual(pictures(), []);
      // A second outcome changes nothing.
      await endJob(msg, json(500, { code: 'M2FP_ENGINE_CRASHED' }));
      assert.equal((await look(path)).state, 'done');
    });

    it('sends no more at once than it may', async () => {
      for (let n = 0; n < 4; n++) await ask(post());
      const first = await sent(2);
      const last = view(await ask(post()));
      assert.equal((await look(`/m2fp/api/jobs/${last.id}`)).place, 3);
      assert.equal(events.sent.length, 2);
      await endJob(first, json(200, {}));
      await sent(3);
      assert.equal(events.sent.length, 3);
    });

    it('tells why a job failed', async () => {
      const { id } = view(await ask(post()));
      const path = `/m2fp/api/jobs/${id}`;
      await endJob(await sent(1), json(400, { code: 'M2FP_BAD_IMAGE', detail: 'It is broken.' }));
      const { state, error } = await look(path);
      assert.deepEqual(
        [state, error],
        ['failed', { code: 'M2FP_BAD_IMAGE', message: 'It is broken.', status: 400 }],
      );
      const { statusCode, headers, payload } = await ask(request('GET', `${path}?result`));
      assert.deepEqual(
        [statusCode, headers['content-type'], headers['retry-after'], JSON.parse(String(payload))],
        [
          410,
          'application/problem+json',
          undefined,
          {
            type: 'https://github.com/m2fp-node-red/node-red-human-parsing/blob/main/docs/http.md#m2fp_bad_image',
            title: 'Damaged picture',
            status: 410,
            detail: 'The job has failed: It is broken.',
            code: 'M2FP_BAD_IMAGE',
          },
        ],
      );
    });

    it('tries a picture again at which the engine ended', async () => {
      const path = `/m2fp/api/jobs/${view(await ask(post())).id}`;
      await endJob(await sent(1), json(503, { code: 'M2FP_ENGINE_CRASHED', detail: 'gone' }));
      const again = await sent(2);
      assert.equal(again.job.attempt, 2);
      await endJob(again, json(200, {}));
      assert.equal((await look(path)).state, 'done');
    });

    it('keeps once what is sent again under one key', async () => {
      const keyed = (key: string, more: object = {}): NodeMessage => {
        const msg = post(more) as NodeMessage & { req: object };
        return { ...msg, req: { ...msg.req, headers: { 'idempotency-key': key } } };
      };
      const first = await ask(keyed('"8e03978e-40d5-43dd-bc93-6894a57f9324"'));
      const second = await ask(keyed('8e03978e-40d5-43dd-bc93-6894a57f9324'));
      assert.deepEqual([second.statusCode, second.headers['location']], [202, first.headers['location']]);
      const replayed = [first, second].map(({ headers }) => headers['idempotent-replayed']);
      assert.deepEqual(replayed, [undefined, 'true']);
      assert.equal(pictures().length, 1);
      for (const more of [
        { m2fp: { flip: false } },
        { payload: Buffer.concat([twoPeople, Buffer.from('x')]) },
      ]) {
        const refused = await refuse(keyed('8e03978e-40d5-43dd-bc93-6894a57f9324', more));
        assert.deepEqual([refused.error.code, refused.statusCode], ['M2FP_KEY_REUSED', 422]);
      }
      for (const key of ['', '""', 'ü', 'x'.repeat(256)]) {
        assert.equal((await refuse(keyed(key))).error.code, 'M2FP_BAD_OPTION');
      }
      assert.notEqual((await ask(keyed('other'))).headers['location'], first.headers['location']);
    });

    it('tells of a job only whose it is, and takes it back for nobody else', async () => {
      const by = (key: string, msg: NodeMessage): NodeMessage => {
        noteOwner((msg as { req: object }).req, key);
        return msg;
      };
      const { id } = view(await ask(by('mine', post())));
      const path = `/m2fp/api/jobs/${id}`;
      for (const [method, url] of [
        ['GET', path],
        ['GET', `${path}?result`],
        ['DELETE', path],
      ] as const) {
        const refused = await refuse(by('yours', request(method, url)));
        assert.deepEqual([refused.error.code, refused.statusCode], ['M2FP_JOB_NOT_FOUND', 404]);
      }
      assert.equal(view(await ask(by('mine', request('GET', path)))).id, id);
      // Where no key is asked for, nobody is told apart; and what nobody owns is anybody's.
      assert.equal(view(await ask(request('GET', path))).id, id);
      const free = view(await ask(post())).id;
      assert.equal(view(await ask(by('yours', request('GET', `/m2fp/api/jobs/${free}`)))).id, free);
      assert.equal(view(await ask(by('mine', request('DELETE', path)))).state, 'cancelled');
      const gone = await ask(by('mine', request('GET', `${path}?result`)));
      const { code } = JSON.parse(String(gone.payload)) as { code: string };
      assert.deepEqual([gone.statusCode, code], [410, 'M2FP_CANCELLED']);
      assert.ok(!JSON.stringify(await ask(by('mine', request('GET', path)))).includes('owner'));
    });

    it('sends a job once more where a part of the flow was stopped', async () => {
      await ask(post());
      await endJob(await sent(1), json(499, { code: 'M2FP_CANCELLED', detail: 'redeployed' }));
      const again = await sent(2);
      assert.deepEqual([again.job.attempt, again.payload], [2, twoPeople]);
    });

    it('cancels what waits and runs, and forgets what has ended', async () => {
      const path = `/m2fp/api/jobs/${view(await ask(post())).id}`;
      const msg = await sent(1);
      const told = await ask(request('DELETE', path));
      assert.deepEqual([told.statusCode, view(told).state], [200, 'cancelled']);
      await endJob(msg, json(200, {}));
      assert.equal((await look(path)).state, 'cancelled');
      assert.equal((await ask(request('DELETE', path))).statusCode, 204);
      for (const method of ['GET', 'DELETE']) {
        const refused = await refuse(request(method, path));
        assert.deepEqual([refused.error.code, refused.statusCode], ['M2FP_JOB_NOT_FOUND', 404]);
      }
    });

    it('tells of no result while there is none', async () => {
      const path = `/m2fp/api/jobs/${view(await ask(post())).id}?result`;
      assert.equal((await refuse(request('GET', path))).error.code, 'M2FP_JOB_NOT_DONE');
    });

    it('accepts nothing but pictures, and no webhook where none are allowed', async () => {
      const codes = [];
      for (const more of [
        { payload: 'a text' },
        { payload: '' },
        { m2fp: { job: { webhook: 'https://example.org/' } } },
      ]) {
        codes.push((await refuse(post(more))).error.code);
      }
      assert.deepEqual(codes, ['M2FP_UNSUPPORTED_FORMAT', 'M2FP_NO_IMAGE', 'M2FP_BAD_OPTION']);
      assert.deepEqual(pictures(), []);
    });

    it('takes pictures from flows without HTTP, too', async () => {
      const told = await ask({ payload: twoPeople, topic: 'camera' });
      assert.equal(view(told).state, 'queued');
      assert.equal(((await sent(1)) as { topic?: string }).topic, 'camera');
    });

    it('keeps no message that is not about its jobs', async () => {
      for (const job of [undefined, null, 'a job', { id: 'x' }, {}]) {
        assert.equal(jobOf({ job }), undefined);
        assert.equal(await endJob({ job }, json(200, {})), false);
      }
      const other = { job: { id: 'x', attempt: 1, run: 1, node: 'elsewhere' } } as NodeMessage;
      assert.equal(await endJob(other, json(200, {})), true);
    });
  });

  it('sends what was in the flow once more when it was deployed', async () => {
    events = await startFlow(jobs());
    const { id } = view(await ask(post()));
    const old = await sent(1);
    events = await deploy(jobs({ name: 'other' }));
    const again = await sent(1);
    assert.deepEqual([again.job.id, again.job.attempt], [id, 1]);
    // Of the flow that was stopped, a failure says nothing; a result is one.
    await endJob(old, json(503, { code: 'M2FP_ENGINE_CRASHED' }));
    assert.equal((await look(`/m2fp/api/jobs/${id}`)).state, 'running');
    await endJob(again, json(200, {}));
    assert.equal((await look(`/m2fp/api/jobs/${id}`)).state, 'done');
  });

  it('refuses what it has no room for', async () => {
    events = await startFlow(jobs({ maxJobs: 1 }));
    await ask(post());
    const refused = await refuse(post());
    assert.deepEqual([refused.error.code, refused.statusCode], ['M2FP_BUSY', 429]);
  });

  it('keeps nothing where nothing can be written, and says so', async () => {
    await writeFile(join(userDir, 'm2fp'), 'a file');
    events = await startFlow(jobs());
    const refused = await refuse(post());
    assert.deepEqual([refused.error.code, refused.statusCode], ['M2FP_NOT_KEPT', 507]);
    const unread = await refuse(request('GET', '/m2fp/api/jobs/01a229e6-b4a0-7000-9b55-9618413aeaa9'));
    assert.deepEqual([unread.error.code, unread.statusCode], ['M2FP_ENGINE_UNAVAILABLE', 503]);
    assert.match(unread.error.message, /cannot be read/);
    const [reason, ...others] = await nodeReasons();
    assert.deepEqual([reason?.code, reason?.node, others], ['jobs-folder', 'node', []]);
    await rm(join(userDir, 'm2fp'));
    assert.equal((await ask(post())).statusCode, 202);
    assert.deepEqual(await nodeReasons(), []);
    await rm(join(userDir, 'm2fp'), { recursive: true });
    assert.equal((await ask(post())).statusCode, 202);
    await stopFlow();
    assert.deepEqual(await nodeReasons(), []);
  });

  it('takes webhooks to hosts that are allowed, and no others', async () => {
    events = await startFlow(jobs({ webhookHosts: 'hooks.example.org' }), [], {
      node: { webhookSecret: SECRET },
    });
    const webhook = (address: string): NodeMessage => post({ m2fp: { job: { webhook: address } } });
    assert.equal((await ask(webhook('https://hooks.example.org/x'))).statusCode, 202);
    assert.equal((await refuse(webhook('https://evil.example.org/x'))).error.code, 'M2FP_BAD_OPTION');
    // To the nodes that follow, it is no option.
    assert.deepEqual(((await sent(1)) as { m2fp?: object }).m2fp, {});
  });

  for (const [what, properties, secret] of [
    ['no secret for its webhooks', { webhookHosts: 'example.org' }, ''],
    ['a secret that is none', { webhookHosts: 'example.org' }, 'password'],
    ['a host that is none', { webhookHosts: '*.org' }, SECRET],
    ['a line that is a path', { line: '../x' }, ''],
    ['no number', { maxJobs: 'many' }, ''],
  ] as const) {
    it(`takes nothing while it has ${what}`, async () => {
      events = await startFlow(jobs(properties), [], { node: { webhookSecret: secret } });
      const { error } = await refuse(post());
      assert.equal(error.code, 'M2FP_BAD_OPTION');
      assert.ok(!secret || !error.message.includes(secret));
      assert.deepEqual(await readdir(userDir), []);
    });
  }
});
