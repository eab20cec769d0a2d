import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { checkParsing } from '../../src/parsing/check.ts';
import { numberIn, oneOf } from '../../src/parsing/options.ts';
import { PREVIEW_VIEWS, type PreviewView } from '../../src/parsing/preview.ts';
import { FORM_DEFAULTS, withDefaults } from '../common/defaults.ts';
import { numberField } from '../common/fields.ts';
import { openInbox } from '../common/input.ts';
import { type ParsingConfig, parsingOf } from '../common/parsing.ts';
import { type PictureConfig, pictureOf } from '../common/picture.ts';
import { StatusLine } from '../common/status.ts';
import { noticeOf, present, serveAdmin, type Shown, TOPIC, withdraw } from './admin.ts';
import { Preview, type PreviewSettings, type Subject } from './preview.ts';

const VIEWS = [...PREVIEW_VIEWS, 'picture'] as const;

interface PreviewConfig extends NodeDef, ParsingConfig, PictureConfig {
  /** `picture`: any picture, without a parsing. */
  view: PreviewView | 'picture';
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

    const subjectOf = async (msg: NodeMessageInFlow): Promise<Subject> => {
      if (config.view === 'picture') return { picture: await pictureOf(RED, this, msg, config) };
      const parsing = await parsingOf(RED, this, msg, config);
      checkParsing(parsing);
      return { parsing };
    };
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
    openInbox(
      this,
      status,
      async (msg) => {
        if (settings instanceof Error) throw settings;
        if (isActive) preview.show(await subjectOf(msg));
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

const { view: VIEW, size: SIZE, minScore: MIN_SCORE } = FORM_DEFAULTS['m2fp-preview'];
const DEFAULTS: PreviewSettings = { view: VIEW, size: SIZE, minScore: MIN_SCORE };

/** A wrong form is told by the status and by each message, not by a node that cannot be made. */
function settingsOrError(config: PreviewConfig): PreviewSettings | Error {
  try {
    const view = oneOf('view', config.view, VIEWS, DEFAULTS.view);
    const size = numberField(config.size);
    const minScore = numberField(config.minScore);
    return {
      view: view === 'picture' ? 'original' : view,
      size: numberIn('size', size, { min: 40, max: 320, integer: true }, DEFAULTS.size),
      minScore: numberIn('minScore', minScore, { min: 0, max: 1 }, DEFAULTS.minScore),
    };
  } catch (error) {
    return error as Error;
  }
}
