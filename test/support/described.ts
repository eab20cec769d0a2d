/** Answers of a service, held against its own OpenAPI document. */
import assert from 'node:assert/strict';
import type { AnyValidateFunction } from 'ajv/dist/types/index.js';
import { Ajv2020 } from 'ajv/dist/2020.js';

interface Described {
  content?: Record<string, object>;
  headers?: Record<string, object>;
}
export interface ApiDocument {
  paths: Record<string, Record<string, { responses: Record<string, Described> }>>;
}

export class Description {
  readonly document: ApiDocument;
  readonly #ajv = new Ajv2020({ strict: false, validateFormats: false });

  constructor(document: object) {
    this.document = document as ApiDocument;
    this.#ajv.addSchema(document, 'openapi.json');
  }

  /** Asserts that the document has an answer. */
  checkAnswer(
    route: string,
    method: string,
    { status, type, body }: { status: number; type: string; body: Buffer },
  ): void {
    const operation = method.toLowerCase();
    const { content } = this.document.paths[route]![operation]!.responses[status] ?? {
      content: assert.fail(`${status} of ${method} ${route}: ${body.toString()}`),
    };
    if (content === undefined) return;
    assert.ok(type in content, `${type} of ${method} ${route}: ${Object.keys(content).join()}`);
    if (!type.endsWith('json')) return;
    const validate = this.#validator([route, operation, 'responses', String(status), 'content', type]);
    assert.ok(
      validate(JSON.parse(body.toString())),
      `${route}: ${this.#ajv.errorsText(validate.errors)}\n${body.toString()}`,
    );
  }

  /** What tells whether JSON is such as may be posted to `route`. */
  requestCheck(route: string): (body: unknown) => boolean {
    const validate = this.#validator([route, 'post', 'requestBody', 'content', 'application/json']);
    return (body) => validate(body) === true;
  }

  #validator(path: readonly string[]): AnyValidateFunction {
    const escaped = path.map((name) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1')));
    return this.#ajv.getSchema(`openapi.json#/paths/${escaped.join('/')}/schema`)!;
  }

  /** The same of an answer that came. @returns its body */
  async check(route: string, method: string, response: Response): Promise<Buffer> {
    const body = Buffer.from(await response.arrayBuffer());
    const { status, headers } = response;
    const type = (headers.get('content-type') ?? '').split(';', 1)[0]!;
    this.checkAnswer(route, method, { status, type, body });
    const told = this.document.paths[route]![method.toLowerCase()]!.responses[status]!.headers ?? {};
    for (const name of ['Retry-After', 'WWW-Authenticate', 'Location']) {
      if (headers.has(name) && status >= 400)
        assert.ok(name in told, `${name} of ${status} of ${method} ${route}`);
    }
    return body;
  }
}
