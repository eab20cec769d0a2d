/** deploy/compose.yaml, brought up by docker-compose with local images; all but Grafana, which no registry here has. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { basename, join } from 'node:path';
import { root } from '../../support/installed-package.ts';
import { freePort } from '../../support/node-red.ts';
import type { Containers } from './containers.ts';
import { images } from './images.ts';

/**
 * What the entrypoint of nginx's own image does: values into the templates, name servers into a variable. The first one only:
 * podman lists the host's, too, which know no containers, and nginx asks all in turn.
 */
const NGINX = `
set -eu
NGINX_LOCAL_RESOLVERS=$$(awk '$$1 == "nameserver" {print $$2; exit}' /etc/resolv.conf)
export NGINX_LOCAL_RESOLVERS
names=$$(env | sed -n 's/^\\(\\(M2FP\\|NGINX\\)_[A-Z_]*\\)=.*/$\${\\1}/p')
for template in /etc/nginx/templates/*.template; do
  envsubst "$$names" <"$$template" >"$$NGINX_ENVSUBST_OUTPUT_DIR/$$(basename "$$template" .template)"
done
exec nginx -g 'daemon off;'
`;

/** In place of the images that compose.yaml names. */
const override = (base: string): object => ({
  services: {
    redis: { image: base },
    nginx: { image: base, user: '101:101', entrypoint: ['sh', '-c'], command: [NGINX] },
    mosquitto: { image: base },
    prometheus: { image: base, entrypoint: ['prometheus'] },
  },
});

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface Question {
  method?: string;
  headers?: Record<string, string>;
  body?: string | Buffer | URLSearchParams;
  /** Keeps the body back, as somebody who waits for leave to send it. */
  withoutBody?: boolean;
}

export class Stack {
  /** A copy of deploy/, with .env, secrets and nginx/state of its own. */
  readonly folder: string;
  readonly project: string;
  readonly ports: Record<'http' | 'https' | 'mqtt' | 'prometheus' | 'grafana', number>;
  readonly #containers: Containers;
  #timers: AbortController | undefined;

  private constructor(containers: Containers, folder: string, ports: Stack['ports']) {
    this.#containers = containers;
    this.folder = folder;
    this.project = basename(folder).toLowerCase();
    this.ports = ports;
  }

  /**
   * What a new user does: a copy of the folder, .env, secrets.
   * @param settings lines for .env
   */
  static async prepare(containers: Containers, settings: Record<string, string> = {}): Promise<Stack> {
    const { base, nodeRed, worker } = await images(containers);
    const folder = mkdtempSync(join(containers.folder, 'stack-'));
    cpSync(join(root, 'deploy'), folder, { recursive: true, filter: (file) => basename(file) !== '.env' });
    const [http, https, mqtt, prometheus, grafana] = await Promise.all(Array.from({ length: 5 }, freePort));
    const ports = { http: http!, https: https!, mqtt: mqtt!, prometheus: prometheus!, grafana: grafana! };
    const stack = new Stack(containers, folder, ports);
    const env = {
      COMPOSE_PROJECT_NAME: stack.project,
      M2FP_IMAGE: nodeRed,
      M2FP_WORKER_IMAGE: worker,
      M2FP_BIND: '127.0.0.1',
      M2FP_HTTP_PORT: ports.http,
      M2FP_HTTPS_PORT: ports.https,
      M2FP_HTTPS_SUFFIX: `:${ports.https}`,
      M2FP_MQTT_PORT: ports.mqtt,
      M2FP_PROMETHEUS_PORT: ports.prometheus,
      M2FP_GRAFANA_PORT: ports.grafana,
      ...settings,
    };
    writeFileSync(
      join(folder, '.env'),
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    // JSON is YAML.
    writeFileSync(join(folder, 'compose.override.yaml'), JSON.stringify(override(base)));
    mkdirSync(join(folder, 'secrets'), { recursive: true });
    await containers.run('./make-secrets.sh', ['localhost'], { cwd: folder });
    return stack;
  }

  /** @param args of docker-compose */
  compose(args: string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const files = ['--file', 'compose.yaml', '--file', 'compose.override.yaml'];
    return this.#containers.run('docker-compose', [...files, ...args], { cwd: this.folder, env });
  }

  /** Starts all but Grafana, each when what it needs is healthy. */
  async up(): Promise<void> {
    const services = ['node-red', 'worker', 'redis', 'nginx', 'mosquitto', 'prometheus'];
    this.#timers = new AbortController();
    void this.#checkHealth(this.#timers.signal);
    await this.compose(['up', '--detach', ...services]);
  }

  /** Takes away containers, networks and volumes. */
  async down(): Promise<void> {
    this.#timers?.abort();
    await this.compose(['down', '--volumes', '--timeout', '20']);
  }

  /** podman leaves the times of health checks to systemd, which need not be there: here they are made by us. */
  async #checkHealth(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { stdout } = await this.#containers.try('podman', [
        'ps',
        '--quiet',
        '--filter',
        'health=starting',
      ]);
      for (const id of stdout.split('\n').filter(Boolean))
        await this.#containers.try('podman', ['healthcheck', 'run', id]);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  /** Ids of the running containers of a service, or of all. */
  async ids(service?: string): Promise<string[]> {
    const labels = { project: this.project, ...(service !== undefined && { service }) };
    const filters = Object.entries(labels).map(
      ([name, value]) => `--filter=label=com.docker.compose.${name}=${value}`,
    );
    return (await this.#containers.docker('ps', '--quiet', ...filters)).split('\n').filter(Boolean);
  }

  /** Runs a command in the first container of a service. */
  async exec(service: string, ...command: string[]): Promise<string> {
    const [id = ''] = await this.ids(service);
    return await this.#containers.docker('exec', id, ...command);
  }

  secret(name: string): string {
    return readFileSync(join(this.folder, 'secrets', name), 'utf8').trim();
  }

  /** Asks nginx, by HTTPS, and believes nothing but its own certificate. */
  ask(
    path: string,
    { method = 'GET', headers = {}, body, withoutBody = false }: Question = {},
  ): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const asked = request(
      {
        host: 'localhost',
        port: this.ports.https,
        path,
        method,
        headers,
        agent: false,
        ca: this.secret('tls_certificate'),
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('end', () => {
          resolve({ status: response.statusCode!, headers: response.headers, text });
          asked.destroy();
        });
      },
    );
    asked.on('error', reject);
    if (withoutBody) asked.flushHeaders();
    else asked.end(body instanceof URLSearchParams ? body.toString() : body);
    return promise;
  }

  /** Says one thing on a websocket, by nginx; resolves to the first thing that is answered. */
  async say(path: string, text: string): Promise<string> {
    const asked = request({
      host: 'localhost',
      port: this.ports.https,
      path,
      agent: false,
      ca: this.secret('tls_certificate'),
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': randomBytes(16).toString('base64'),
      },
    });
    asked.end();
    const [, socket] = (await once(asked, 'upgrade')) as [unknown, Socket];
    try {
      // RFC 6455, 5.2: a whole text, masked with zeros; what comes back is short, and not masked.
      const payload = Buffer.from(text);
      const head = Buffer.from([0x81, 0x80 | 126, 0, 0, 0, 0, 0, 0]);
      head.writeUInt16BE(payload.length, 2);
      const frame = once(socket, 'data');
      socket.write(Buffer.concat([head, payload]));
      const [answer] = (await frame) as [Buffer];
      return answer.subarray(2, 2 + (answer[1] ?? 0)).toString();
    } finally {
      socket.destroy();
    }
  }
}
