import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { Config } from '../common/form-fields.ts';
import { handleMessages } from '../common/message-handler.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { noticeOf, present, serveAdmin, type Shown, TOPIC, withdraw } from './admin.ts';
import { FIELDS, settingsOf } from './config.ts';
import { Preview } from './preview.ts';
import { subjectOf } from './subject.ts';

/** Shows pictures under the node in the editor, and sends the messages on as they come. */
export default function (RED: NodeAPI): void {
  serveAdmin(RED);

  function createPreview(this: Node & { _alias?: string }, stored: NodeDef): void {
    RED.nodes.createNode(this, stored);
    const form = readForm(RED, this, FIELDS, stored);
    const { config } = form;
    const status = new StatusLine(RED, this);
    // In the editor the nodes of a sub-flow have the ids of its template.
    const id = this._alias ?? this.id;
    let isActive = config.active;

    const settings = settingsOrError(config);
    if (settings instanceof Error) status.error(settings);
    const preview = new Preview(settings instanceof Error ? settingsOf({}) : settings, {
      changed: (thumbnail) => {
        if (thumbnail !== null) present(id, shown);
        RED.comms.publish(TOPIC, noticeOf(id, thumbnail), false);
      },
      failed: (error) => status.error(error),
    });
    const shown: Shown = {
      preview,
      activate(active) {
        isActive = active;
        if (!active) preview.clear();
      },
    };
    present(id, shown);
    handleMessages(
      RED,
      this,
      status,
      form.guard(status, async (msg) => {
        if (settings instanceof Error) throw settings;
        if (isActive) {
          const subject = await subjectOf(RED, this, msg, settings.shows, config);
          // It may have been switched off meanwhile.
          if (isActive) preview.show(subject);
        }
        return [msg];
      }),
      {
        input: { value: config.picture, type: config.pictureType },
        atClose() {
          preview.close();
          withdraw(id, shown);
        },
      },
    );
  }
  RED.nodes.registerType('m2fp-preview', createPreview);
}

/** A wrong form is told by the status and by each message, not by a node that cannot be made. */
function settingsOrError(config: Config<typeof FIELDS>): ReturnType<typeof settingsOf> | Error {
  try {
    return settingsOf(config);
  } catch (error) {
    return error as Error;
  }
}
