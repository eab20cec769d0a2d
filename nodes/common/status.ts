/** What a node shows under itself: a fixed vocabulary, in texts of the message catalogue. */
import type { Node, NodeAPI, NodeStatus } from 'node-red';
import type { OfflineReason } from '../../src/camera/index.ts';
import { isRemote } from '../../src/engine/info.ts';
import type { EngineInfo } from '../../src/engine/types.ts';
import type { HealthStatus } from '../../src/observe/health.ts';
import { codeOf } from './failure.ts';
import type { ModelPresence } from './model.ts';
import { pullText } from './pull-text.ts';

/** The catalogue that all nodes share lies in the config node's set. */
const CATALOGUE = '@m2fp/node-red-human-parsing/m2fp-model:m2fp-model';

/** Every status goes to every open editor, so no node sends more than one in this time, milliseconds. */
const INTERVAL = 250;

/** The status of one node. A status equal to the last one is not sent again; of a quick series the last one counts. */
export class StatusLine {
  readonly #red: NodeAPI;
  readonly #node: Node;
  #latest: NodeStatus = {};
  #sent: NodeStatus = {};
  /** True while the last message's result is shown, which the engine's coming and going does not hide. */
  #result = false;
  /** True while it is shown that the model is not there, or why it could not be got. */
  #absent = false;
  /** Messages that were dropped so far. */
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(RED: NodeAPI, node: Node) {
    this.#red = RED;
    this.#node = node;
  }

  /**
   * Shows what the engine does.
   * @param busy whether it works for this node
   */
  engine(info: EngineInfo, busy: boolean): void {
    if (info.state === 'loading')
      this.#show('yellow', 'ring', isRemote(info) ? 'status.searching' : 'status.loading');
    else if (info.state === 'failed')
      this.#unlessResult('red', 'ring', `error.${codeOf(info.failure) ?? 'other'}`);
    else if (info.state === 'idle' || info.state === 'closed')
      this.#unlessResult('grey', 'ring', isRemote(info) ? 'status.disconnected' : 'status.idle');
    else if (busy) this.running(info.waiting);
    else {
      const key = info.provider === 'wasm' ? 'status.readyWasm' : 'status.ready';
      this.#unlessResult('green', 'dot', key);
    }
  }

  /** Shows that the model is not there, or how far its pull has come. */
  presence(presence: ModelPresence): void {
    if (presence.state === 'present') {
      if (this.#absent) this.#set({});
      return;
    }
    if (presence.state === 'pulling') {
      const { key, values } = pullText(presence.progress);
      this.#set({ fill: 'yellow', shape: 'ring', text: this.text(key, values) });
    } else if (this.#result) return;
    else this.#show('grey', 'ring', presence.checkpoint ? 'status.unconverted' : 'status.absent');
    this.#absent = true;
  }

  /** Shows what the engine does in place of the last message's result. */
  settle(info: EngineInfo): void {
    this.#result = false;
    this.engine(info, false);
  }

  /** At work, with `waiting` messages behind; where some were dropped, their number counts for more. */
  running(waiting = 0): void {
    if (this.#dropped > 0) {
      const text = this.text('status.busyDropped', { dropped: shortCount(this.#dropped) });
      this.#set({ fill: 'blue', shape: 'dot', text });
    } else if (waiting === 0) this.#show('blue', 'dot', 'status.running');
    else this.#set({ fill: 'blue', shape: 'dot', text: this.text('status.waiting', { waiting }) });
  }

  /**
   * One more message was dropped.
   * @param info what the engine does; undefined where it is not there yet
   * @param busy whether it works for this node
   */
  dropped(info: EngineInfo | undefined, busy: boolean): void {
    this.#dropped++;
    // How far a download is says more than how much was dropped meanwhile.
    if (info === undefined) return;
    if (busy) return this.engine(info, true);
    const text = this.text('status.dropped', { dropped: shortCount(this.#dropped) });
    this.#set({ fill: 'yellow', shape: 'dot', text });
    this.#result = true;
  }

  /** The last message's result, in at most 20 characters. */
  done(text: string): void {
    this.#set({ fill: 'green', shape: 'dot', text });
    this.#result = true;
  }

  /** The same where it is not all that was asked for. */
  warn(text: string): void {
    this.#set({ fill: 'yellow', shape: 'dot', text });
    this.#result = true;
  }

  /** Shows why a camera gives no picture. */
  offline(reason: OfflineReason): void {
    if (reason === 'connecting') this.#show('yellow', 'ring', 'camera.connecting');
    else this.#show(reason === 'stopped' || reason === 'ended' ? 'grey' : 'red', 'ring', `camera.${reason}`);
  }

  /** Shows how the engines do. */
  health(status: HealthStatus): void {
    if (status === 'unready') this.#show('red', 'ring', 'status.unready');
    else this.#show(status === 'ready' ? 'green' : 'yellow', 'dot', `status.${status}`);
  }

  /** The last message's, or the configuration's, error. */
  error(error: unknown): void {
    const code = codeOf(error) ?? 'other';
    this.#show('red', 'ring', `error.${code}`);
    // Of an engine that was not there, its coming is the end.
    this.#result = code !== 'M2FP_ENGINE_UNAVAILABLE';
    this.#absent = code === 'M2FP_DOWNLOAD_FAILED';
  }

  /** Clears the status for good: what comes later is not shown. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#node.status({});
  }

  /** The text `key` of the shared catalogue, in the language of the server. */
  text(key: string, values: Record<string, string | number> = {}): string {
    return this.#red._(`${CATALOGUE}.${key}`, values);
  }

  /** The editor translates the text. */
  #show(fill: NodeStatus['fill'], shape: NodeStatus['shape'], key: string): void {
    this.#set({ fill, shape, text: `${CATALOGUE}.${key}` });
  }

  #unlessResult(fill: NodeStatus['fill'], shape: NodeStatus['shape'], key: string): void {
    if (!this.#result) this.#show(fill, shape, key);
  }

  #set(status: NodeStatus): void {
    this.#latest = status;
    this.#result = false;
    this.#absent = false;
    if (!this.#closed && this.#timer === undefined) this.#send();
  }

  #send(): void {
    this.#timer = undefined;
    const { fill, shape, text } = this.#latest;
    if (fill === this.#sent.fill && shape === this.#sent.shape && text === this.#sent.text) return;
    this.#sent = this.#latest;
    this.#node.status(this.#latest);
    this.#timer = setTimeout(() => this.#send(), INTERVAL);
    this.#timer.unref();
  }
}

/** "999", "1.2k", "34k", "5.6M": a camera drops without end. */
function shortCount(count: number): string {
  if (count < 1000) return String(count);
  const [value, unit] = count < 1e6 ? [count / 1e3, 'k'] : [count / 1e6, 'M'];
  // Cut and not rounded, so that 999 950 does not become 1000k.
  return `${value < 10 ? (Math.floor(value * 10) / 10).toFixed(1) : Math.floor(value)}${unit}`;
}
