import type { Node, NodeAPI, NodeDef } from 'node-red';
import { numberIn, oneOf } from '../../src/parsing/options/options.ts';
import { PREVIEW_VIEWS } from '../../src/parsing/colorize/preview.ts';
import { FORM_DEFAULTS, withDefaults } from '../common/defaults.ts';
import { numberField } from '../common/fields.ts';
import { handleMessages } from '../common/message-handler.ts';
import type { ParsingConfig } from '../common/parsing.ts';
import type { ImageConfig } from '../common/picture.ts';
import { StatusLine } from '../common/status.ts';
import { noticeOf, present, serveAdmin, type Shown, TOPIC, withdraw } from './admin.ts';
import { Preview, type PreviewSettings } from './preview.ts';
import { type ShownView, subjectOf } from './subject.ts';

const VIEWS = ['auto', ...PREVIEW_VIEWS, 'picture'] as const satisfies ShownView[];

interface PreviewConfig extends NodeDef, ParsingConfig, ImageConfig {
  view: ShownView;
  /** Of the thumbnail's longer side, pixels. */
  size: number | string;
  minScore: number | string;
  /** Absent in a flow that was written by hand. */
  active?: boolean;
}

/** Shows pictures under the node in the editor, and sends the messages on as they come. */
export default function (RED: NodeAPI): void {
  serveAdmin(RED);

  function createPreview(this: Node & { _alias?: string }, stored: Partial<PreviewConfig> & NodeDef): void {
    RED.nodes.createNode(this, stored);
    const config = withDefaults<PreviewConfig>('m2fp-preview', stored);
    const status = new StatusLine(RED, this);
    // In the editor the nodes of a sub-flow have the ids of its template.
    const id = this._alias ?? this.id;
    let isActive = config.active !== false;

    const settings = settingsOrError(config);
    if (settings instanceof Error) status.error(settings);
    const preview = new Preview(settings instanceof Error ? DEFAULTS : settings, {
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
      this,
      status,
      async (msg) => {
        if (settings instanceof Error) throw settings;
        if (isActive) {
          const subject = await subjectOf(RED, this, msg, settings.shows, config);
          // It may have been switched off meanwhile.
          if (isActive) preview.show(subject);
        }
        return msg;
      },
      () => {
        preview.close();
        withdraw(id, shown);
      },
    );
  }
  RED.nodes.registerType('m2fp-preview', createPreview);
}

interface Settings extends PreviewSettings {
  shows: ShownView;
}

const { view: SHOWS, size: SIZE, minScore: MIN_SCORE } = FORM_DEFAULTS['m2fp-preview'];
const DEFAULTS: Settings = { shows: SHOWS, view: 'overlay', size: SIZE, minScore: MIN_SCORE };

/** A wrong form is told by the status and by each message, not by a node that cannot be made. */
function settingsOrError(config: PreviewConfig): Settings | Error {
  try {
    const shows = oneOf('view', config.view, VIEWS, DEFAULTS.shows);
    const size = numberField(config.size);
    const minScore = numberField(config.minScore);
    return {
      shows,
      view: shows === 'picture' ? 'original' : shows === 'auto' ? 'overlay' : shows,
      size: numberIn('size', size, { min: 40, max: 320, integer: true }, DEFAULTS.size),
      minScore: numberIn('minScore', minScore, { min: 0, max: 1 }, DEFAULTS.minScore),
    };
  } catch (error) {
    return error as Error;
  }
}
