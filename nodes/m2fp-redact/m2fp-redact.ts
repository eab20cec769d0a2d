import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { checkParsing } from '../../src/parsing/check.ts';
import { boxesAsCsv } from '../../src/parsing/redact/hidden-boxes.ts';
import { redact } from '../../src/parsing/redact/redact.ts';
import { TrackTopics } from '../../src/parsing/redact/track-topics.ts';
import { MisspeltZones, withZones } from '../../src/parsing/redact/zones-in-state.ts';
import { Outputs, type Result } from '../common/hand-over.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { parsingNode } from '../common/parsing-node.ts';
import { putResult } from '../common/result.ts';
import { FIELDS, labelsOf, REDACT_SETTINGS, type RedactSettings, settingsOf } from './config.ts';
import { overlayOf } from './overlay.ts';
import { isNoPicture, putPlaceholder } from './placeholder.ts';

/** Makes chosen parts of the people in a picture unrecognisable. */
export default function (RED: NodeAPI): void {
  function createRedact(this: Node, stored: NodeDef): void {
    const { config, status, parsingOf, handle } = parsingNode(RED, this, FIELDS, stored);
    const topics = new TrackTopics();
    const misspelt = new MisspeltZones();

    const redacted = async (msg: NodeMessageInFlow, given: Partial<RedactSettings>): Promise<Result> => {
      const received = await parsingOf(msg);
      checkParsing(received);
      const parsing = withZones(received, msg);
      const inForm = settingsOf(config);
      const {
        failed: _failed,
        nobody,
        replaceSource,
        overlay: _overlay,
        ...options
      } = { ...inForm, ...given };
      topics.check(parsing, options.keep);
      for (const warning of misspelt.warningsOf(msg, options.keep)) this.warn(warning);
      const whenNobody = REDACT_SETTINGS.nobody.read('nobody', nobody);
      const replaces = REDACT_SETTINGS.replaceSource.read('replaceSource', replaceSource);
      const overlay =
        options.method === 'picture' ? await overlayOf(inForm.overlay, given.overlay) : undefined;
      const result = await redact(parsing, {
        ...options,
        ...(overlay !== undefined && { overlay }),
        labels: labelsOf(options.labels, parsing),
        nobody: whenNobody === 'all' ? 'all' : 'pass',
      });
      const { image, found, area, persons, uncovered, left, missing, kept, boxes } = result;
      msg['redacted'] = { area, persons, uncovered, left, missing, kept, boxes, csv: boxesAsCsv(boxes) };
      if (!found && whenNobody === 'drop') {
        status.done(status.text('result.nobodyDropped'));
        msg['dropped'] = 'nobody';
        return new Outputs([null, msg], 'dropped');
      }
      if (uncovered.length > 0 && options.uncovered === 'drop') {
        status.warn(status.text('result.uncoveredDropped'));
        msg['dropped'] = 'uncovered';
        return new Outputs([null, msg], 'dropped');
      }
      const percent = Math.round((100 * area) / (parsing.width * parsing.height));
      const n = uncovered.length + left.length + missing.length;
      if (n > 0) status.warn(status.text('result.uncovered', { percent, n }));
      else status.done(found ? status.text('result.redacted', { percent }) : status.text('result.nobody'));
      if (replaces) msg['parsing'] = { ...parsing, image };
      await putResult(RED, this, msg, config, image);
      return [msg];
    };

    handle(async (msg) => {
      const given = optionsInMessage<RedactSettings>(msg, 'redact');
      const failed = REDACT_SETTINGS.failed.read('failed', given.failed ?? settingsOf(config).failed);
      try {
        return await redacted(msg, given);
      } catch (error) {
        if (failed !== 'placeholder' || !isNoPicture(error)) throw error;
        await putPlaceholder(RED, this, msg, config, status, error);
        return [msg];
      }
    });
  }
  RED.nodes.registerType('m2fp-redact', createRedact);
}
