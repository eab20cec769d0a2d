import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { ruleFor } from '../../src/engine/picture.ts';
import type { EngineInfo } from '../../src/engine/types.ts';
import { inOrder } from '../common/in-order.ts';
import { openInbox } from '../common/input.ts';
import { linkModel } from '../common/model.ts';
import { type Action, checkAction, overridesOf } from '../common/overrides.ts';
import { StatusLine } from '../common/status.ts';
import { modelFacts } from './facts.ts';
import { blankInput } from './warm-up.ts';

interface LoadConfig extends NodeDef {
  model: string;
  action: Action;
  onStart: boolean;
}

/** Loads, warms up, reloads or unloads the model, and tells its facts. */
export default function (RED: NodeAPI): void {
  function createLoad(this: Node, config: LoadConfig): void {
    RED.nodes.createNode(this, config);
    const status = new StatusLine(RED, this);
    const link = linkModel(RED, this, config.model, {
      engineChanged: (info) => status.engine(info, false),
      modelFailed: (error) => status.error(error),
    });

    const perform = async (action: Action, signal?: AbortSignal): Promise<EngineInfo> => {
      const model = link.model();
      if (action === 'reload') {
        await (await model.engine()).unload();
        await model.forget();
      }
      const engine = await model.engine();
      if (action === 'unload') await engine.unload();
      else if (action !== 'info') await engine.load();
      if (action === 'warm-up') {
        const rule = ruleFor(engine.info().manifest.input, model.parseOptions());
        await engine.parse({ image: blankInput(rule), signal });
      }
      status.settle(engine.info());
      return engine.info();
    };

    const inbox = openInbox(
      this,
      status,
      inOrder(async (msg, signal) => {
        const info = await perform(actionOf(msg) ?? checkAction(config.action), signal);
        msg.payload = modelFacts(info);
        return msg;
      }),
      () => link.close(),
    );
    if (config.onStart) {
      // Not before all nodes are there, so that no Catch node misses a failure.
      const start = (): void => {
        perform('load').catch((error: unknown) => {
          if (inbox.closing) return;
          status.error(error);
          this.error(error, {});
        });
      };
      RED.events.once('flows:started', start);
      this.on('close', () => {
        RED.events.off('flows:started', start);
      });
    }
  }
  RED.nodes.registerType('m2fp-load', createLoad);
}

/** The action that the message asks for; undefined where it leaves it to the form. */
function actionOf(msg: NodeMessageInFlow): Action | undefined {
  const { action } = overridesOf(msg);
  if (action !== undefined) return action;
  const asked = (msg.payload as { action?: unknown } | null | undefined)?.action;
  return asked === undefined ? undefined : checkAction(asked);
}
