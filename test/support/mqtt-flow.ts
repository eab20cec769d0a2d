/** A flow that parses the pictures which arrive over MQTT. */
import { example, type FlowNode } from './node-red.ts';

/** What a `change` node does with a message. */
type Rule = Record<string, string>;

/** Writes `to` in place of `picture` in the topic. */
export const topicRule = (to: string): Rule => ({
  t: 'change',
  p: 'topic',
  pt: 'msg',
  from: 'picture',
  fromt: 'str',
  to,
  tot: 'str',
});

function node(type: string, id: string, wires: string[], properties: object): FlowNode {
  return {
    id,
    type,
    z: 'tab-1',
    ...properties,
    wires: [wires],
  };
}

/**
 * picture/+ -> infer -> `answer`; errors, by their code, -> `failure`. No id may be equal to the value of a property:
 * Node-RED would take it for a reference.
 */
export function mqttFlow(port: number, protocolVersion: 4 | 5, answer: Rule[], failure: Rule[]): FlowNode[] {
  const model = example('2 HTTP API').find(({ type }) => type === 'm2fp-model')!;
  return [
    model,
    { id: 'tab-1', type: 'tab', label: 'MQTT' },
    {
      id: 'broker-1',
      type: 'mqtt-broker',
      broker: '127.0.0.1',
      port,
      clientid: '',
      protocolVersion: String(protocolVersion),
      keepalive: '60',
      cleansession: true,
    },
    node('mqtt in', 'in-1', ['infer-1'], {
      topic: 'picture/+',
      qos: '1',
      datatype: 'buffer',
      broker: 'broker-1',
      inputs: 0,
    }),
    node('m2fp-infer', 'infer-1', ['change-1'], {
      model: model.id,
      picture: 'payload',
      pictureType: 'msg',
      scoreThreshold: '',
    }),
    node('change', 'change-1', ['out-1'], { rules: answer }),
    node('catch', 'catch-1', ['change-2'], { scope: null, uncaught: false }),
    node('change', 'change-2', ['out-1'], {
      rules: [...failure, { t: 'set', p: 'payload', pt: 'msg', to: 'error.code', tot: 'msg' }],
    }),
    node('mqtt out', 'out-1', [], { topic: '', qos: '1', retain: 'false', broker: 'broker-1' }),
  ];
}
