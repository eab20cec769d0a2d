/** A steady stream of pictures, each on a connection of its own, as many programs send them. */
import { request as byHttp } from 'node:http';
import { request as byHttps } from 'node:https';

export class Load {
  /** What became of each. */
  readonly results: { status: number | string; retryAfter?: string; body: string }[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #waiting = new Set<Promise<void>>();

  /** @param most how many may be under way at once: what is slow is not asked for more than it can do */
  constructor(url: string, body: Buffer | string = 'picture', interval = 50, most = Infinity) {
    this.#timer = setInterval(() => {
      if (this.#waiting.size >= most) return;
      const asked = this.#ask(url, body).finally(() => this.#waiting.delete(asked));
      this.#waiting.add(asked);
    }, interval);
  }

  #ask(url: string, body: Buffer | string): Promise<void> {
    return new Promise((resolve) => {
      const failed = (error: NodeJS.ErrnoException): void => {
        this.results.push({ status: error.code ?? error.message, body: '' });
        resolve();
      };
      const request = url.startsWith('https:') ? byHttps : byHttp;
      request(url, { method: 'POST', agent: false, rejectUnauthorized: false } as object, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', failed);
        response.on('end', () => {
          this.results.push({
            status: response.statusCode!,
            retryAfter: response.headers['retry-after'],
            body: text,
          });
          resolve();
        });
      })
        .on('error', failed)
        .end(body);
    });
  }

  /** What became of the pictures that were sent while `action` ran, and what that gave. */
  static async during<T>(
    action: () => Promise<T>,
    ...load: ConstructorParameters<typeof Load>
  ): Promise<{ ended: T; results: Load['results'] }> {
    const running = new Load(...load);
    try {
      const ended = await action();
      return { ended, results: running.results };
    } finally {
      await running.#stop();
    }
  }

  /** Sends no more, and waits for what is under way. */
  async #stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#waiting);
  }
}
