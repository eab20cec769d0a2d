import type { Node, NodeAPI, NodeDef } from 'node-red';
import { checkParsing } from '../../src/parsing/check.ts';
import { redact } from '../../src/parsing/redact/redact.ts';
import { sequentially } from '../common/sequential.ts';
import { Outputs } from '../common/hand-over.ts';
import { handleMessages } from '../common/message-handler.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { parsingOf } from '../common/parsing.ts';
import { putResult } from '../common/result.ts';
import { StatusLine } from '../common/status.ts';
import { readForm } from '../common/stored-form.ts';
import { FIELDS, labelsOf, REDACT_SETTINGS, type RedactSettings, settingsOf } from './config.ts';

/** Makes chosen parts of the people in a picture unrecognisable. */
export default function (RED: NodeAPI): void {
  function createRedact(this: Node, stored: NodeDef): void {
    RED.nodes.createNode(this, stored);
    const form = readForm(RED, this, FIELDS, stored);
    const { config } = form;
    const status = new StatusLine(RED, this);
    handleMessages(
      RED,
      this,
      status,
      form.guard(
        status,
        sequentially(RED, async (msg) => {
          const parsing = await parsingOf(RED, this, msg, config);
          checkParsing(parsing);
          const { nobody, replaceSource, ...options } = {
            ...settingsOf(config),
            ...optionsInMessage<RedactSettings>(msg, 'redact'),
          };
          const whenNobody = REDACT_SETTINGS.nobody.read('nobody', nobody);
          const replaces = REDACT_SETTINGS.replaceSource.read('replaceSource', replaceSource);
          const { image, area, found, persons, uncovered, left, missing } = await redact(parsing, {
            ...options,
            labels: labelsOf(options.labels, parsing),
            nobody: whenNobody === 'all' ? 'all' : 'pass',
          });
          msg['redacted'] = { area, persons, uncovered, left, missing };
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
          else
            status.done(found ? status.text('result.redacted', { percent }) : status.text('result.nobody'));
          if (replaces) msg['parsing'] = { ...parsing, image };
          await putResult(RED, this, msg, config, image);
          return [msg];
        }),
      ),
      { input: { value: config.parsing, type: config.parsingType } },
    );
  }
  RED.nodes.registerType('m2fp-redact', createRedact);
}
