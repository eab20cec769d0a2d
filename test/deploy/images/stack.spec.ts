/** deploy/compose.yaml, brought up for real: nginx, Node-RED, two workers, Redis, mosquitto, Prometheus. */
import assert from 'node:assert/strict';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { parse as parseYaml } from 'yaml';
import type { ParsingSummary } from '../../../src/parsing/summary.ts';
import { root } from '../../support/installed-package.ts';
import { twoPeople } from '../../support/images.ts';
import { dashboardQueries } from '../../services/support/prometheus.ts';
import { type Containers, containers } from '../support/containers.ts';
import { until } from '../support/run.ts';
import { type Answer, type Question, Stack } from '../support/stack.ts';

/** Requests of one address that .env allows at once; the tests want none refused but where they ask for it. */
const BURST = 60;

const service = parseYaml(readFileSync(join(root, 'deploy', 'compose.yaml'), 'utf8'), { merge: true }) as {
  services: Record<string, Record<string, unknown>>;
};

describe('the stack', function () {
  this.timeout(300_000);
  let host: Containers;
  let stack: Stack;

  before(async () => {
    host = await containers();
    stack = await Stack.prepare(host, { M2FP_RATE: '20r/s', M2FP_BURST: `${BURST}` });
    await stack.up();
  });
  after(() => stack?.down());

  let sent = 0;
  /** Posts the sample, a little different each time: equal pictures are parsed once. */
  const picture = (): Question => ({
    method: 'POST',
    headers: { 'content-type': 'image/png' },
    body: Buffer.concat([twoPeople, Buffer.from(`${++sent}`)]),
  });
  const post = () => stack.ask('/parse', picture());

  function assertParsed({ status, text }: Answer): void {
    assert.equal(status, 200, text);
    const { width, persons } = JSON.parse(text) as ParsingSummary;
    assert.deepEqual([width, persons.length], [448, 2]);
  }

  const inspect = async <T>(id: string, format: string): Promise<T> =>
    JSON.parse(await host.docker('inspect', '--format', `{{json ${format}}}`, id)) as T;

  /** Resolves when pictures are parsed again, however long it takes. */
  const parses = () => until('a picture is parsed', async () => (await post()).status === 200);

  it('comes up healthy', async () => {
    await until('all are healthy', async () => {
      const all = await stack.ids();
      const states = await Promise.all(all.map((id) => inspect<string>(id, '.State.Health.Status')));
      return all.length === 7 && states.every((state) => state === 'healthy');
    });
  });

  describe('nginx', () => {
    const state = (name: string): string => join(stack.folder, 'nginx', 'state', name);
    const reload = () => stack.exec('nginx', 'nginx', '-s', 'reload');
    afterEach(() => {
      for (const name of ['upstream.conf', 'maintenance']) rmSync(state(name), { force: true });
    });

    it('passes pictures on, with TLS', async () => assertParsed(await post()));

    it('sends who comes without TLS there', async () => {
      const { status, headers } = await fetch(`http://localhost:${stack.ports.http}/parse?a=b`, {
        redirect: 'manual',
      });
      assert.equal(status, 308);
      assert.equal(headers.get('location'), `https://localhost:${stack.ports.https}/parse?a=b`);
    });

    it('passes on what Node-RED has to say of a picture that is none', async () => {
      const { status, text } = await stack.ask('/parse', { ...picture(), body: 'no picture' });
      assert.equal(status, 415, text);
      assert.match(text, /M2FP_UNSUPPORTED_FORMAT/);
    });

    it('refuses a picture that is too large before it is sent', async () => {
      const headers = { 'content-type': 'image/png', 'content-length': `${33 * 2 ** 20}` };
      const { status, text } = await stack.ask('/parse', { method: 'POST', headers, withoutBody: true });
      assert.equal(status, 413);
      assert.equal((JSON.parse(text) as Problem).status, 413);
    });

    it('refuses too many requests of one address, and says when to come again', async () => {
      const answers = await Promise.all(Array.from({ length: 3 * BURST }, () => stack.ask('/nothing')));
      const refused = answers.filter(({ status }) => status === 429);
      assert.ok(refused.length > 0 && refused.length < answers.length - BURST / 2, `${refused.length}`);
      for (const answer of refused) assertProblem(answer, 429);
      await until('it is calm again', async () => (await stack.ask('/nothing')).status === 404);
    });

    it('keeps what is for Prometheus to itself', async () => {
      for (const path of ['/metrics', '/METRICS/', '/m2fp/metrics', '//metrics', '/x/../metrics'])
        assert.equal((await stack.ask(path)).status, 404, path);
    });

    it('answers for a Node-RED that is away, and finds it again by itself', async () => {
      const [id = ''] = await stack.ids('node-red');
      await host.docker('stop', '--time', '20', id);
      const answer = await post();
      await host.docker('start', id);
      assertProblem(answer, 503);
      await parses();
    });

    it('passes requests to the container that a deploy names', async () => {
      const file = state('upstream.conf');
      writeFileSync(file, 'set $node_red nobody;\n');
      await reload();
      await until('it asks there', async () => (await stack.ask('/nothing')).status === 503);
      const [id = ''] = await stack.ids('node-red');
      writeFileSync(file, `set $node_red ${(await inspect<string>(id, '.Name')).replace('/', '')};\n`);
      await reload();
      await until('it asks there', async () => (await stack.ask('/nothing')).status === 404);
      assertParsed(await post());
      rmSync(file);
      await reload();
      assertParsed(await post());
    });

    it('says that the service is being replaced while a deploy wants it to', async () => {
      const file = state('maintenance');
      writeFileSync(file, '');
      assertProblem(await post(), 503);
      rmSync(file);
      assertParsed(await post());
    });
  });

  describe('the editor', () => {
    const open = (): string => join(stack.folder, 'nginx', 'state', 'editor-open');
    afterEach(() => rmSync(open(), { force: true }));

    const login = (password: string) =>
      stack.ask('/editor/auth/token', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          client_id: 'node-red-editor',
          grant_type: 'password',
          scope: '*',
          username: 'admin',
          password,
        }),
      });

    for (const path of [
      '/editor',
      '/editor/',
      '/EDITOR/settings',
      '//editor/',
      '/x/../editor/flows',
      '/flows',
    ])
      it(`is closed: ${path}`, async () => {
        assert.equal((await stack.ask(path)).status, 404);
      });

    it('asks for a password where it is opened, and has its websocket', async () => {
      assert.equal((await login(stack.secret('editor_password'))).status, 404);
      writeFileSync(open(), '');
      assert.match((await stack.ask('/editor/')).text, /<title>Node-RED<\/title>/);
      assert.equal((await stack.ask('/editor/flows')).status, 401);
      assert.equal((await login('wrong')).status, 403);
      const answer = await login(stack.secret('editor_password'));
      const { access_token: token } = JSON.parse(answer.text) as { access_token: string };
      const flows = await stack.ask('/editor/flows', { headers: { authorization: `Bearer ${token}` } });
      assert.match(flows.text, /m2fp-model/);
      const said = await stack.say('/editor/comms', JSON.stringify({ auth: token }));
      assert.deepEqual(JSON.parse(said), { auth: 'ok' });
    });
  });

  describe('the workers', () => {
    // While a container comes or goes, podman's name server knows nobody for a moment. nginx remembers names for longer.
    beforeEach(parses);

    it('answer every picture, though one is killed in the middle, which comes back', async () => {
      const [first = ''] = await stack.ids('worker');
      const pid = await inspect<number>(first, '.State.Pid');
      const answers = Array.from({ length: 8 }, post);
      await Promise.race(answers);
      process.kill(pid, 'SIGKILL');
      for (const answer of await Promise.all(answers)) assertParsed(answer);
      await until('it is there again', async () => {
        const state = await inspect<{ Running: boolean; Pid: number }>(first, '.State');
        return state.Running && state.Pid !== pid;
      });
    });

    it('go on when Redis was restarted in the middle', async () => {
      const answers = Array.from({ length: 4 }, post);
      await Promise.race(answers);
      await host.docker('restart', '--time', '5', ...(await stack.ids('redis')));
      for (const answer of await Promise.all(answers)) assertParsed(answer);
      await parses();
    });
  });

  it('lets nobody into Redis without its password, and Redis throw nothing away', async () => {
    const redis = (command: string) =>
      stack.exec(
        'redis',
        'sh',
        '-c',
        command.replace('AUTH', 'REDISCLI_AUTH="$(cat /run/secrets/redis_password)"'),
      );
    assert.match(await redis('redis-cli ping'), /NOAUTH/);
    const config = `${await redis('AUTH redis-cli config get maxmemory-policy save appendonly')}\n`;
    for (const line of [/^maxmemory-policy\nnoeviction$/m, /^save\n$/m, /^appendonly\nno$/m])
      assert.match(config, line);
  });

  it('has a broker for cameras, with TLS and a password', async () => {
    const address = `mqtts://localhost:${stack.ports.mqtt}`;
    const ca = stack.secret('tls_certificate');
    const options = { ca, protocolVersion: 5 as const, reconnectPeriod: 0 };
    await assert.rejects(connectAsync(address, options), /[Nn]ot authorized/);
    const password = stack.secret('mqtt_password');
    const client = await connectAsync(address, { ...options, username: 'm2fp', password });
    try {
      await client.subscribeAsync('camera');
      const arrived = new Promise<Buffer>((resolve) =>
        client.once('message', (_topic, payload) => resolve(payload)),
      );
      await client.publishAsync('camera', twoPeople);
      assert.deepEqual(await arrived, twoPeople);
    } finally {
      await client.endAsync();
    }
  });

  describe('Prometheus', () => {
    const ask = async <T>(path: string): Promise<T> => {
      const response = await fetch(`http://127.0.0.1:${stack.ports.prometheus}/api/v1/${path}`);
      const { data, error } = (await response.json()) as { data: T; error?: string };
      assert.equal(error, undefined, path);
      return data;
    };

    it('reaches all that it is to watch', async () => {
      const jobs = await until('every target is up', async () => {
        const { activeTargets } = await ask<{
          activeTargets: { health: string; labels: { job: string }; lastError: string }[];
        }>('targets');
        const down = activeTargets.filter(({ health }) => health !== 'up');
        if (down.length > 0) throw new Error(JSON.stringify(down));
        return activeTargets.length === 4 && activeTargets.map(({ labels }) => labels.job).toSorted();
      });
      assert.deepEqual(jobs, ['m2fp', 'm2fp-workers', 'm2fp-workers', 'prometheus']);
    });

    it('evaluates every rule', async () => {
      const { groups } = await until('every rule was evaluated', async () => {
        const found = await ask<{
          groups: { rules: { name: string; health: string; lastError?: string }[] }[];
        }>('rules');
        const rules = found.groups.flatMap((group) => group.rules);
        return rules.length > 0 && rules.every(({ health }) => health !== 'unknown') && found;
      });
      for (const { name, health, lastError } of groups.flatMap(({ rules }) => rules))
        assert.equal(health, 'ok', `${name}: ${lastError}`);
    });

    it('answers every query of the dashboard', async () => {
      // The flows at the start know no cameras, keep no answers, and drop nothing: test/services/prometheus has all of it.
      const queries = dashboardQueries().filter(({ query }) => !/camera|_cache_|_dropped_/.test(query));
      assert.ok(queries.length > 30);
      // What fails is counted by its reason, so there is nothing to show before something does.
      assert.equal((await stack.ask('/parse', { ...picture(), body: 'no picture' })).status, 415);
      await until('each has series', async () => {
        const answers = await Promise.all(
          queries.map(({ query }) => ask<{ result: unknown[] }>(`query?query=${encodeURIComponent(query)}`)),
        );
        const without = queries.filter((_query, n) => answers[n]!.result.length === 0);
        if (without.length > 0) throw new Error(JSON.stringify(without, undefined, 1));
        return true;
      });
    });
  });

  describe('every service', () => {
    for (const [name, settings] of Object.entries(service.services))
      it(`${name} has limits, comes back, keeps its log small, and can change nothing but what is its own`, () => {
        assert.ok(settings['mem_limit'] && settings['cpus']);
        assert.equal(settings['restart'], 'unless-stopped');
        assert.equal(settings['read_only'], true);
        assert.deepEqual(settings['cap_drop'], ['ALL']);
        const { options } = settings['logging'] as { options: Record<string, string> };
        assert.ok(options['max-size'] && options['max-file']);
      });

    it('has its secrets from files, which no log and no environment shows', async () => {
      const secrets = globSync('*_{password,secret}', { cwd: join(stack.folder, 'secrets') });
      assert.equal(secrets.length, 5);
      const all = await stack.ids();
      const logs = await Promise.all(all.map((id) => host.try('docker', ['logs', id])));
      const shown = [await host.docker('inspect', ...all), ...logs.map(({ output }) => output)];
      for (const name of secrets) assert.ok(!shown.join('').includes(stack.secret(name)), name);
    });
  });

  // The last one: nginx is left with little patience.
  describe('a Node-RED that hangs', () => {
    it('is not waited for without end', async () => {
      const [id = ''] = await stack.ids('node-red');
      await stack.compose(['up', '--detach', '--no-deps', 'nginx'], { M2FP_TIMEOUT: '2s' });
      await host.docker('pause', id);
      try {
        await until('nginx gives up', async () => (await stack.ask('/nothing')).status === 504);
        assertProblem(await post(), 504);
      } finally {
        await host.docker('unpause', id);
      }
    });
  });
});

interface Problem {
  status: number;
  title: string;
}

function assertProblem({ status, headers, text }: Answer, expected: number): void {
  assert.equal(status, expected, text);
  assert.equal(headers['content-type'], 'application/problem+json');
  assert.match(String(headers['retry-after']), /^[1-9]\d*$/);
  const problem = JSON.parse(text) as Problem;
  assert.equal(problem.status, expected);
  assert.ok(problem.title);
}
