/** What a broker is told of the cameras. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import mqtt, { type MqttClient } from 'mqtt';
import type { TrackEvent, TrackState } from '../../../src/people/track/types.ts';
import { PATIENCE, type Topic } from './flow.ts';
import { type Counts, count } from './truth.ts';

/** Of one camera. */
export class Told {
  readonly events: TrackEvent[] = [];
  /** The newest, and the times of all. */
  state: TrackState | undefined;
  readonly #times: number[] = [];
  readonly #events = new EventEmitter();
  /** Messages by topic. */
  readonly messages: Counts = {};
  /** Persons in all pictures, and those of them of whom it is said what they wear. */
  persons = 0;
  described = 0;
  /** Errors, and cameras that were not online, in words. */
  readonly trouble: Counts = {};

  /** What has happened from one time to another, milliseconds since 1970. */
  counts(from: number, until: number): Counts {
    const counts: Counts = {};
    for (const { time, event, zone, line, direction } of this.events) {
      if (time >= from && time < until)
        count(counts, [event, zone ?? line, direction].filter(Boolean).join(' '));
    }
    return counts;
  }

  /** Frames of that time that were parsed. */
  frames(from: number, until: number): number {
    return this.#times.filter((time) => time >= from && time < until).length;
  }

  /** Resolves when so many frames were parsed. */
  async parsed(frames: number): Promise<void> {
    while (this.#times.length < frames) {
      const signal = AbortSignal.timeout(PATIENCE * 1000);
      await once(this.#events, 'state', { signal }).catch(() =>
        assert.fail(
          `Nothing was told of frame ${frames} within ${PATIENCE} s; ${JSON.stringify(this.trouble)}`,
        ),
      );
    }
  }

  take(topic: Topic, payload: unknown): void {
    count(this.messages, topic);
    if (topic === 'event') {
      const event = payload as TrackEvent;
      if (event.event !== 'dwell') this.events.push(event);
    } else if (topic === 'state') {
      this.state = payload as TrackState;
      this.#times.push(this.state.time);
      this.#events.emit('state');
    } else if (topic === 'clothes') {
      const { persons } = payload as { persons: { wears?: string }[] };
      this.persons += persons.length;
      this.described += persons.filter(({ wears }) => wears).length;
    } else if (topic === 'error') count(this.trouble, JSON.stringify(payload));
    else if (topic === 'camera' && (payload as { state: string }).state !== 'online')
      count(this.trouble, JSON.stringify(payload));
  }
}

/** Listens to `cameras/NAME/TOPIC` for each of the cameras. */
export async function listen(
  port: number,
  names: Iterable<string>,
): Promise<{ client: MqttClient; told: Map<string, Told> }> {
  const told = new Map([...names].map((name) => [name, new Told()]));
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
  client.on('message', (address, payload) => {
    const [, name, topic] = address.split('/');
    told.get(name!)?.take(topic as Topic, JSON.parse(payload.toString()));
  });
  await client.subscribeAsync('cameras/#', { qos: 1 });
  return { client, told };
}
