/** What the node does with a request: who asks, how often, what for. */
import type { NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import { DEFAULT_LIMITS } from '../../src/image/limits.ts';
import { optionsInFields, valuesOf } from '../../src/parsing/options/option-table.ts';
import { addressOf, ApiKeys, ClientLimits } from '../../src/service/access.ts';
import { contentOfValue } from '../../src/service/body/content.ts';
import { BodyReader } from '../../src/service/body/read-body.ts';
import { type ClientRules, readClientOptions } from '../../src/service/client-options.ts';
import { orderOf, type ParseOrder, queryOf } from '../../src/service/request.ts';
import { hasClient, responseOf } from '../common/client.ts';
import { noteOwner } from '../common/requester.ts';
import { clientRules } from './client-rules.ts';
import { REQUEST_SETTINGS, type RequestConfig } from './config.ts';
import { contentOfRequest, type HttpRequest, httpRequestOf } from './read-request.ts';

const MEBIBYTE = 1024 * 1024;

const WITHOUT_BODY: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'DELETE']);

export class RequestGate {
  readonly #keys: ApiKeys;
  readonly #limits: ClientLimits;
  readonly #proxies: number;
  readonly #rules: { jobs: ClientRules; others: ClientRules };
  readonly #reader: BodyReader;
  readonly #maxBytes: number;

  /**
   * @param keys with blanks between them; blank: everybody may ask
   * @throws {M2fpError} `M2FP_BAD_OPTION` for a form that is wrong
   */
  constructor(config: RequestConfig, keys: string) {
    const { allowed, maxBody, concurrent, perMinute, proxies } = valuesOf(
      REQUEST_SETTINGS,
      optionsInFields(REQUEST_SETTINGS, config),
    );
    // A blank field allows nothing.
    const names = config.allowed.trim() === '' ? '' : allowed;
    this.#rules = { jobs: clientRules(names, true), others: clientRules(names) };
    this.#keys = new ApiKeys(keys);
    this.#limits = new ClientLimits({ concurrent, perMinute });
    this.#proxies = proxies;
    this.#maxBytes = maxBody * MEBIBYTE;
    this.#reader = new BodyReader(this.#maxBytes);
  }

  /**
   * @param isForJobs whether a jobs node follows, which has options for clients
   * @returns undefined for a request that brings nothing: it asks about a job
   * @throws {M2fpError} what the client is to be told; it may still be sending
   */
  async take(msg: NodeMessageInFlow, isForJobs: boolean): Promise<ParseOrder | undefined> {
    const request = httpRequestOf(msg);
    const rules = isForJobs ? this.#rules.jobs : this.#rules.others;
    const limits = { ...DEFAULT_LIMITS, maxBytes: this.#maxBytes };
    if (request === undefined) {
      // Who it is can be asked of a request only.
      if (hasClient(msg)) throw new M2fpError('M2FP_UNAUTHORIZED', 'The request has been lost on its way.');
      // From an inject node, to try the flow out.
      return orderOf(contentOfValue(msg.payload), [], rules, limits, false);
    }
    this.#enter(msg, request);
    if (WITHOUT_BODY.has(request.method)) return undefined;
    const query = queryOf(request.originalUrl ?? request.url ?? '');
    // What is wrong there is so whatever the body holds.
    readClientOptions(query, {}, rules);
    const { content, few } = await contentOfRequest(request, msg.payload, this.#reader);
    return orderOf(content, query, rules, limits, few);
  }

  #enter(msg: NodeMessageInFlow, request: HttpRequest): void {
    const { headers, socket } = request;
    const key = this.#keys.check(headers);
    if (key !== undefined) noteOwner(request, key);
    const address = addressOf(socket.remoteAddress, headers['x-forwarded-for'], this.#proxies);
    const leave = this.#limits.enter(key ?? address);
    const response = responseOf(msg);
    if (response === undefined || response.destroyed) leave();
    else response.once('close', leave);
  }
}
