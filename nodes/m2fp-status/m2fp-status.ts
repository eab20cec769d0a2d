import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import type { EngineState } from '../../src/engine/types.ts';
import type { Health } from '../../src/observe/health.ts';
import { processMetrics } from '../../src/observe/metrics.ts';
import { type Endpoint, takeBrokenEscapes } from '../common/broken-escapes.ts';
import { deploysOf } from '../common/deploys.ts';
import { handleMessages } from '../common/message-handler.ts';
import { deployedModels, linkModel } from '../common/model.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { endpointsBefore } from '../m2fp-request/wired-from.ts';
import { FIELDS } from './config.ts';
import { Answers } from './answers.ts';
import { look, type Look } from './look.ts';

/** Engines of which no config node tells are looked at so often, milliseconds. */
const INTERVAL = 1000;

/** Tells how the engines do. */
export default function (RED: NodeAPI): void {
  // Metrics begin here, and not with the first node, so that nothing is left out.
  processMetrics();

  function createStatus(this: Node, stored: NodeDef): void {
    RED.nodes.createNode(this, stored);
    const form = readForm(RED, this, FIELDS, stored);
    const { config } = form;
    const status = new StatusLine(RED, this);
    let told = summaryOf({ status: 'ready', reasons: [] });
    let latest = Promise.resolve();
    let state: EngineState | undefined;

    const take = async (): Promise<Look> => {
      const taken = link ? await look(link.model()) : await look(undefined, deployedModels(RED));
      if (!inbox.closing) status.health(taken.health.status);
      return taken;
    };
    const answers = new Answers(config, take);

    const watch = async (): Promise<void> => {
      if (inbox.closing) return;
      try {
        const taken = await take();
        const summary = summaryOf(taken.health);
        if (summary === told || inbox.closing) return;
        told = summary;
        if (config.onChange) this.send(await answers.to({} as NodeMessageInFlow, taken));
      } catch (error) {
        status.error(error);
      }
    };
    // One after the other, so that the last one sent is the last one seen.
    const watchInTurn = (): void => {
      latest = latest.then(watch);
    };

    // Looked for when all nodes of a deploy are there.
    let endpoints: readonly Endpoint[] | undefined;
    const forget = (): void => void (endpoints = undefined);
    const stopForgetting = deploysOf(RED).listen({ started: forget });
    const stopMending = takeBrokenEscapes(RED, () => (endpoints ??= endpointsBefore(RED, this)));

    const timer = setInterval(watchInTurn, INTERVAL);
    timer.unref();
    const inbox = handleMessages(
      RED,
      this,
      status,
      form.guard(status, async (msg) => [await answers.to(msg)]),
      {
        atClose() {
          clearInterval(timer);
          link?.close();
          stopMending();
          stopForgetting();
        },
      },
    );
    const link = config.model
      ? linkModel(RED, this, config.model, {
          engineChanged(info) {
            if (info.state === state) return;
            state = info.state;
            watchInTurn();
          },
          presenceChanged: watchInTurn,
          modelFailed: watchInTurn,
        })
      : undefined;
    watchInTurn();
  }
  RED.nodes.registerType('m2fp-status', createStatus);
}

/** What makes one health another: not the words, which hold numbers. */
function summaryOf({ status, reasons }: Pick<Health, 'status' | 'reasons'>): string {
  return JSON.stringify([status, ...reasons.map(({ code, model, node }) => [code, model, node])]);
}
