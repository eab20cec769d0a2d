/** Tells how a camera is: in the status, and as messages of the second output. */
import type { Node, NodeMessage } from 'node-red';
import type { Camera, CameraState, FrameStatistics } from '../../src/camera/index.ts';
import type { StatusLine } from '../common/status.ts';

/** Milliseconds between two looks: each status goes to every open editor. */
const LOOK = 2000;

/** Tells of a camera whose settings are wrong, so that there is none. @param failure says what to do */
export function tellWrongSettings(node: Node, name: string, status: StatusLine, failure: unknown): void {
  const message = failure instanceof Error ? failure.message : String(failure);
  status.offline('settings');
  node.warn(message);
  const state: CameraState = {
    state: 'offline',
    reason: 'settings',
    message,
    since: Date.now(),
    still: false,
  };
  node.send([null, stateMessage(name, state, { sent: 0, skipped: 0, unchanged: 0 })]);
}

function stateMessage(
  camera: string,
  state: CameraState,
  { sent, skipped, unchanged }: Pick<FrameStatistics, 'sent' | 'skipped' | 'unchanged'>,
): NodeMessage {
  return { topic: camera, payload: { camera, ...state, sent, skipped, unchanged } };
}

export class CameraReport {
  readonly #node: Node;
  readonly #name: string;
  readonly #camera: Camera;
  readonly #status: StatusLine;
  readonly #timer: NodeJS.Timeout;
  #told: string | undefined;
  #logged: string | undefined;

  constructor(node: Node, name: string, camera: Camera, status: StatusLine) {
    this.#node = node;
    this.#name = name;
    this.#camera = camera;
    this.#status = status;
    this.#timer = setInterval(() => this.#show(), LOOK);
    this.#timer.unref();
  }

  /** The state has changed. */
  tell(state: CameraState): void {
    this.#show();
    // To connect is no news: what comes of it is.
    if (state.reason === 'connecting') return;
    const news = JSON.stringify([state.state, state.reason, state.still]);
    if (news !== this.#told) {
      this.#told = news;
      this.#node.send([null, stateMessage(this.#name, state, this.#camera.statistics)]);
    }
    if (state.message !== null && state.message !== this.#logged) this.#node.warn(state.message);
    this.#logged = state.message ?? undefined;
  }

  #show(): void {
    const { state, reason, still, since } = this.#camera.state;
    const { rate, age = 0 } = this.#camera.statistics;
    if (state === 'offline') this.#status.offline(reason ?? 'error');
    else if (still)
      this.#status.done(this.#status.text('result.still', { time: Math.round((Date.now() - since) / 1000) }));
    else
      this.#status.done(
        this.#status.text('result.frames', { rate: rate.toFixed(1), age: (age / 1000).toFixed(1) }),
      );
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
