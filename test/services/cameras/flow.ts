/** Cameras -> infer -> track -> describe -> MQTT: state, events, clothes, what was dropped, and how the cameras are. */
import { example, type FlowNode } from '../../support/node-red.ts';
import { STEP } from './films.ts';
import { AREAS } from './truth.ts';

/** When the frame before the first one was taken by a film's own time, milliseconds since 1970. */
export const FILM_START = Date.parse('2026-11-30T08:00:00Z');

/** What lies below `cameras/NAME/`. */
export const TOPICS = ['state', 'event', 'clothes', 'dropped', 'camera', 'error'] as const;
export type Topic = (typeof TOPICS)[number];

/** JSONata: what is told there. */
const PAYLOADS: Record<Topic, string> = {
  state: '$merge([payload, {"frame": frame.number}])',
  event: 'payload',
  clothes:
    '{"time": frame.time, "persons": [parsing.persons.{"track": track, "wears": description.sentence}]}',
  dropped: '{"reason": dropped}',
  camera: 'payload',
  error: '{"code": error.code, "message": error.message}',
};

/** Seconds that a busy machine may stand still. */
export const PATIENCE = 60;

interface Places {
  /** Where each camera is to be had. */
  addresses: ReadonlyMap<string, string>;
  /** Port of the broker on the loopback. */
  broker: number;
  /** Fields of the model's node that differ from the example's. */
  model: object;
  /**
   * Every frame is parsed, in order, and was taken when the film says, however busy the machine is; else as many are as the
   * model can, and the newest first.
   */
  everyFrame: boolean;
}

export function camerasFlow({ addresses, broker, model, everyFrame }: Places): FlowNode[] {
  const bundled = example('5 MQTT camera').find(({ type }) => type === 'm2fp-model')!;
  const node = (type: string, id: string, wires: string[][], properties: object): FlowNode => ({
    id,
    type,
    z: 'tab-1',
    x: 0,
    y: 0,
    wires,
    ...properties,
  });
  const tells = (topic: Topic): FlowNode =>
    node('change', `tell ${topic}`, [['mqtt-out-1']], {
      rules: [
        { t: 'set', p: 'payload', pt: 'msg', to: PAYLOADS[topic], tot: 'jsonata' },
        { t: 'set', p: 'topic', pt: 'msg', to: `"cameras/" & topic & "/${topic}"`, tot: 'jsonata' },
      ],
    });
  return [
    { id: 'tab-1', type: 'tab', label: 'Cameras' },
    { ...bundled, ...model },
    {
      id: 'broker-1',
      type: 'mqtt-broker',
      broker: '127.0.0.1',
      port: broker,
      clientid: '',
      protocolVersion: '4',
      keepalive: '60',
      cleansession: true,
    },
    ...[...addresses].map(([name, address]) =>
      node('m2fp-camera', `camera ${name}`, [[everyFrame ? 'time-1' : 'infer-1'], ['tell camera']], {
        name,
        address,
        source: 'mjpeg',
        timeout: PATIENCE,
        pace: everyFrame ? 'fixed' : 'flow',
        configVersion: 1,
      }),
    ),
    node('change', 'time-1', [['infer-1']], {
      rules: [
        {
          t: 'set',
          p: 'frame.time',
          pt: 'msg',
          to: `${FILM_START} + ${STEP} * frame.number`,
          tot: 'jsonata',
        },
      ],
    }),
    node('m2fp-infer', 'infer-1', [['track-1'], ['tell dropped']], {
      model: bundled.id,
      picture: 'payload',
      pictureType: 'msg',
      policy: everyFrame ? 'wait' : 'latest',

      key: 'topic',
      camera: 'topic',
      configVersion: 2,
    }),
    node('m2fp-track', 'track-1', [['tell state', 'describe-1'], ['tell event']], {
      // Who comes from behind another one is half a person at first, and may look like somebody new for a frame.
      confirm: 2,
      zones: JSON.stringify(AREAS),
      configVersion: 1,
    }),
    node('m2fp-describe', 'describe-1', [['tell clothes']], { language: 'en-US', configVersion: 1 }),
    node('catch', 'catch-1', [['tell error']], { scope: null, uncaught: false }),
    ...TOPICS.map(tells),
    node('mqtt out', 'mqtt-out-1', [], { topic: '', qos: '1', retain: 'false', broker: 'broker-1' }),
  ];
}
