import type { Node, NodeAPI } from 'node-red';
import type { PulledModel } from '../../src/store/pull.ts';
import type { ModelNode, RedisCredentials } from '../common/model.ts';
import { ModelAccess } from './access.ts';
import { serveAdmin } from './admin.ts';
import { type ModelConfig, readSettings } from './settings.ts';

/** The config node: which model, and how it runs. It pulls and loads nothing before a node asks for it. */
export default function (RED: NodeAPI): void {
  function createModel(this: ModelNode, config: ModelConfig): void {
    RED.nodes.createNode(this, config);
    const settings = () => readSettings(RED, this, config, this.credentials);
    const onMade = ({ id, folder, warnings }: PulledModel): void => {
      this.log(`The model ${id} lies in ${folder} now.`);
      for (const warning of warnings) this.warn(warning);
    };
    const access = new ModelAccess(this.id, settings, onMade, (why) => warnOnce(this, why));
    this.users = access.users;
    this.register = (node, user) => access.register(node, user);
    this.deregister = (node) => access.deregister(node);
    this.parseOptions = () => settings().parse;
    this.place = () => access.place();
    this.present = (signal) => access.present(signal);
    this.manifest = (signal) => access.manifest(signal);
    this.engine = (signal) => access.engine(signal);
    this.isComing = () => access.isComing();
    this.workers = (signal) => access.workers(signal);
    this.forget = () => access.forget();
    this.on('close', (_removed: boolean, done: () => void) => {
      void access.forget().finally(done);
    });
  }
  serveAdmin(RED);
  RED.nodes.registerType<ModelNode, ModelConfig, object, RedisCredentials>('m2fp-model', createModel, {
    settings: { m2fpModelStore: { value: '', exportable: false } },
    credentials: { redisUsername: { type: 'text' }, redisPassword: { type: 'password' } },
  });
}

/** What was logged: what is wrong with the installation concerns all models, and deploys change nothing about it. */
const warnings = new Set<string>();

function warnOnce(node: Node, text: string): void {
  if (warnings.has(text)) return;
  warnings.add(text);
  node.warn(text);
}
