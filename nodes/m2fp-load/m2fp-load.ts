import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { M2fpError } from '../../src/errors.ts';
import { ruleFor } from '../../src/engine/input-image.ts';
import type { Diagnosis } from '../../src/observe/diagnosis.ts';
import { sequentially } from '../common/sequential.ts';
import { handleMessages } from '../common/message-handler.ts';
import { linkModel } from '../common/model.ts';
import { factsOf, type ModelFacts } from '../common/model-facts.ts';
import { type Action, checkAction, overridesOf } from '../common/message-options.ts';
import { SharedListener } from '../common/shared-listener.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { storeFolder } from '../common/store-folder.ts';
import { type WorkerSeen, workersSeen } from '../common/workers.ts';
import { FIELDS } from './config.ts';
import { DiagnosisCache } from './diagnosis-cache.ts';
import { ProgressOutput } from './progress-output.ts';
import { blankInput } from './warm-up.ts';

/** The facts of the model, and for `info` the workers that have it, if it is not here, and the state of the installation. */
interface LoadAnswer extends ModelFacts {
  workers?: WorkerSeen[];
  diagnosis?: Diagnosis;
}

const diagnoses = new DiagnosisCache();

const flowsStarted = new SharedListener('flows:started');

/** Loads, warms up, reloads or unloads the model, and tells its facts and how far its pull has come. */
export default function (RED: NodeAPI): void {
  function createLoad(this: Node, stored: NodeDef): void {
    RED.nodes.createNode(this, stored);
    const form = readForm(RED, this, FIELDS, stored);
    const { config } = form;
    const status = new StatusLine(RED, this);
    const output = new ProgressOutput((progress) => this.send([null, { payload: { ...progress } }]));
    const link = linkModel(RED, this, config.model, {
      engineChanged: (info) => status.engine(info, false),
      presenceChanged: (presence) => {
        status.presence(presence);
        if (presence.state === 'pulling') output.notify(presence.progress);
        else output.end();
      },
      modelFailed: (error) => {
        status.error(error);
        output.end();
      },
    });
    const perform = async (action: Action, signal: AbortSignal): Promise<ModelFacts> => {
      const model = link.model();
      const facts = (): Promise<ModelFacts> =>
        factsOf(model, (key, values) => status.text(key, values), signal);
      if (!needsModel(action) && (await model.place()).presence.state !== 'present') return facts();
      if (action === 'reload') await model.reload(signal);
      const engine = await model.engine(signal);
      if (action === 'unload') await engine.unload();
      else if (action === 'load' || action === 'warm-up') await engine.load();
      if (action === 'warm-up') {
        const rule = ruleFor(engine.info().manifest.input, model.parseOptions());
        await engine.parse({ image: blankInput(rule), trial: true, signal });
      }
      status.settle(engine.info());
      return facts();
    };

    const start = new AbortController();
    const actionFor = (msg: NodeMessageInFlow): Action => actionOf(msg) ?? checkAction(config.action);
    const answer = async (action: Action, signal: AbortSignal): Promise<LoadAnswer> => {
      const facts = await perform(action, signal);
      if (action !== 'info') return facts;
      const diagnosis = await diagnoses.diagnosis(storeFolder(RED), await nodeRedVersion(RED));
      const workers = await link.model().workers(signal);
      // Each message its own: what one flow changes is not seen by another.
      return {
        ...facts,
        ...(workers && { workers: workersSeen(workers) }),
        diagnosis: structuredClone(diagnosis),
      };
    };
    const inTurn = sequentially(RED, async (msg, signal) => {
      msg.payload = await answer(actionFor(msg), signal);
      return [msg];
    });
    const inbox = handleMessages(
      RED,
      this,
      status,
      form.guard(status, async (msg, signal) => {
        // Not in the line: whoever waits for a model that is being pulled is in the model's own.
        if (needsModel(actionFor(msg))) await link.model().present(signal);
        return inTurn(msg, signal);
      }),
      {
        atClose() {
          start.abort();
          output.close();
          link.close();
        },
      },
    );
    if (config.onStart) {
      // Not before all nodes are there, so that no Catch node misses a failure.
      const load = (): void => {
        perform('load', start.signal).catch((error: unknown) => {
          if (inbox.closing) return;
          status.error(error);
          this.error(error, {});
        });
      };
      this.on('close', flowsStarted.add(RED.events, load));
    }
  }
  RED.nodes.registerType('m2fp-load', createLoad);
}

/** Undefined where Node-RED does not tell: not all that run nodes do. */
async function nodeRedVersion(RED: NodeAPI): Promise<string | undefined> {
  const { version } = RED as { version?: () => string | Promise<string> };
  return version?.();
}

/** False for the actions that have nothing to do while the model is not there. */
function needsModel(action: Action): boolean {
  return action !== 'info' && action !== 'unload';
}

/** The action that the message asks for; undefined where it leaves it to the form. */
function actionOf(msg: NodeMessageInFlow): Action | undefined {
  const { action } = overridesOf(msg, 'load');
  if (action !== undefined) return action;
  const asked = actionIn(msg);
  return asked === undefined ? undefined : checkAction(asked);
}

/** @throws {M2fpError} `M2FP_BAD_OPTION` where it cannot be read */
function actionIn({ payload }: { payload?: unknown }): unknown {
  try {
    return (payload as { action?: unknown } | null | undefined)?.action;
  } catch (error) {
    // A getter or a Proxy of a function node.
    const reason = error instanceof Error ? error.message : String(error);
    throw new M2fpError('M2FP_BAD_OPTION', `The action in msg.payload cannot be read: ${reason}`, {
      cause: error,
    });
  }
}
