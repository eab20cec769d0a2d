import { EventEmitter } from 'node:events';
import type { Node, NodeAPI } from 'node-red';
import { crashEvents } from '../../src/engine/events.ts';
import { limitsFrom } from '../../src/image/limits.ts';
import type { PulledModel } from '../../src/store/pull.ts';
import { fromSetup } from '../common/failure.ts';
import { services } from '../common/services.ts';
import { type ModelNode, offerBundledModel, type RedisCredentials } from '../common/model.ts';
import { ModelService } from './model-service.ts';
import { serveAdmin } from './admin.ts';
import type { ModelConfig } from './config.ts';
import { type ModelSettings, readSettings } from './settings.ts';

/** The config node: which model, and how it runs. It pulls and loads nothing before a node asks for it. */
export default function (RED: NodeAPI): void {
  function createModel(this: ModelNode, config: ModelConfig): void {
    RED.nodes.createNode(this, config);
    const settings = () => fromSetup(() => readSettings(RED, this, config, this.credentials));
    const access = giveAccess(this, settings);
    const unsubscribe = warnOfEnds(this, access);
    // Before the first picture takes so long that somebody wonders.
    if (config.source !== 'remote') void warnOfInstallation(this);
    this.on('close', (_removed: boolean, done: () => void) => {
      unsubscribe();
      void access.forget().finally(done);
    });
  }
  serveAdmin(RED);
  let bundled: ModelNode | undefined;
  offerBundledModel(() => (bundled ??= bundledModel(RED)));
  RED.nodes.registerType<ModelNode, ModelConfig, object, RedisCredentials>('m2fp-model', createModel, {
    settings: { m2fpModelStore: { value: '', exportable: false } },
    credentials: { redisUsername: { type: 'text' }, redisPassword: { type: 'password' } },
  });
}

/** Lets the model do what the other nodes ask of it. @param settings throws where the configuration is wrong */
function giveAccess(model: ModelNode, settings: () => ModelSettings): ModelService {
  const onMade = ({ id, folder, warnings }: PulledModel): void => {
    model.log(`The model ${id} lies in ${folder} now.`);
    // At once: of a folder with many pictures that cannot be used there are many.
    if (warnings.length > 0) model.warn(warnings.join('\n'));
  };
  const access = new ModelService(model.id, settings, onMade, (why) => warnOnce(model, why));
  model.users = access.users;
  model.register = (node, user) => access.register(node, user);
  model.deregister = (node) => access.deregister(node);
  model.parseOptions = () => settings().parse;
  model.limits = () => limitsFrom(settings().engine);
  model.requestLimits = () => {
    const { timeout, maxBytes, maxPixels } = settings().engine;
    return { timeout, maxBytes, maxPixels };
  };
  model.workerAddress = () => {
    const { source, engine } = settings();
    return source === 'remote' ? engine.address : undefined;
  };
  model.place = () => access.place();
  model.present = (signal) => access.present(signal);
  model.lookAgain = () => access.lookAgain();
  model.manifest = (signal) => access.manifest(signal);
  model.engine = (signal) => access.engine(signal);
  model.reload = (signal) => access.reload(signal);
  model.isComing = () => access.isComing();
  model.workers = (signal) => access.workers(signal);
  model.atOnce = () => access.info?.processes.length || 1;
  model.forget = () => access.forget();
  return access;
}

/** Logs the end of a process that nobody ended and that no picture tells of. Returns what ends that. */
function warnOfEnds(model: ModelNode, access: ModelService): () => void {
  return crashEvents.subscribe(({ engine, message }) => {
    if (access.info?.manifest.digest.startsWith(engine.digest)) {
      model.warn(`${message} No picture was lost, and the next one starts it again.`);
    }
  });
}

/** Never rejects. */
async function warnOfInstallation(model: ModelNode): Promise<void> {
  const why = await services.fallback().catch(() => null);
  if (why !== null) warnOnce(model, why);
  const problem = await services.imageProblem();
  if (problem !== null) warnOnce(model, problem.message);
}

/** The model of all nodes for which none is chosen: no node of the flow, so it lives as long as somebody uses it. */
function bundledModel(RED: NodeAPI): ModelNode {
  const model = Object.assign(new EventEmitter(), {
    id: 'm2fp-bundled',
    type: 'm2fp-model',
    log: (text: string) => RED.log.info(text),
    warn: (text: string) => RED.log.warn(text),
  }) as unknown as ModelNode;
  const config = { source: 'bundled' } as ModelConfig;
  const access = giveAccess(model, () => readSettings(RED, model, config));
  warnOfEnds(model, access);
  void warnOfInstallation(model);
  model.deregister = (node) => {
    access.deregister(node);
    if (Object.keys(access.users).length === 0) void access.forget();
  };
  return model;
}

/** What was logged: what is wrong with the installation concerns all models, and deploys change nothing about it. */
const warnings = new Set<string>();

function warnOnce(node: Node, text: string): void {
  if (warnings.has(text)) return;
  warnings.add(text);
  node.warn(text);
}
