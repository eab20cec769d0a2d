import type { Node, NodeAPI, NodeDef } from 'node-red';
import { checkParsing } from '../../src/parsing/check.ts';
import { BACKGROUND_INDEX, oneOf, personIndex } from '../../src/parsing/options.ts';
import { redact, type RedactOptions } from '../../src/parsing/redact.ts';
import type { Parsing } from '../../src/parsing/types.ts';
import { withDefaults } from '../common/defaults.ts';
import { labelsField, numberField } from '../common/fields.ts';
import { inOrder } from '../common/in-order.ts';
import { openInbox, Outputs } from '../common/input.ts';
import { labelsInModel } from '../common/labels.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { type ParsingConfig, parsingOf } from '../common/parsing.ts';
import { putResult, type ResultConfig } from '../common/result.ts';
import { StatusLine } from '../common/status.ts';

/** What happens to a picture without people. */
const WHEN_NOBODY = ['pass', 'drop', 'all'] as const;

/** What a message can change. */
interface Settings extends Omit<RedactOptions, 'nobody'> {
  nobody?: (typeof WHEN_NOBODY)[number];
  /** Whether the parsing's picture becomes the redacted one. */
  replaceSource?: boolean;
}

interface RedactConfig extends NodeDef, ParsingConfig, ResultConfig {
  method: NonNullable<RedactOptions['method']>;
  /** Names separated by commas; blank = all parts. */
  labels: string;
  inverse: boolean;
  /** Ids separated by commas; blank = everybody. */
  persons: string;
  grow: number | string;
  cells: number | string;
  color: string;
  minScore: number | string;
  nobody: (typeof WHEN_NOBODY)[number];
  replaceSource: boolean;
  format: NonNullable<RedactOptions['format']>;
  quality: number | string;
}

/** Makes chosen parts of the people in a picture unrecognisable. */
export default function (RED: NodeAPI): void {
  function createRedact(this: Node, stored: Partial<RedactConfig> & NodeDef): void {
    RED.nodes.createNode(this, stored);
    const config = withDefaults<RedactConfig>('m2fp-redact', stored);
    const status = new StatusLine(RED, this);
    openInbox(
      this,
      status,
      inOrder(RED, async (msg) => {
        const parsing = await parsingOf(RED, this, msg, config);
        checkParsing(parsing);
        const settings = { ...settingsOf(config), ...optionsInMessage<Settings>(msg, 'redact') };
        const { nobody, replaceSource, ...options } = settings;
        const whenNobody = oneOf('nobody', nobody, WHEN_NOBODY, 'pass');
        const { image, area, found } = await redact(parsing, {
          ...options,
          labels: labelsOf(options.labels, parsing),
          nobody: whenNobody === 'all' ? 'all' : 'pass',
        });
        if (!found && whenNobody === 'drop') {
          status.done(status.text('result.nobodyDropped'));
          msg['dropped'] = 'nobody';
          return new Outputs([null, msg], 'dropped');
        }
        const percent = Math.round((100 * area) / (parsing.width * parsing.height));
        status.done(found ? status.text('result.redacted', { percent }) : status.text('result.nobody'));
        if (replaceSource !== false) msg['parsing'] = { ...parsing, image };
        await putResult(RED, this, msg, config, image);
        return msg;
      }),
    );
  }
  RED.nodes.registerType('m2fp-redact', createRedact);
}

function settingsOf(config: RedactConfig): Settings {
  const ids = config.persons.split(',').filter((id) => id.trim() !== '');
  return {
    method: config.method,
    labels: labelsField(config.labels),
    inverse: config.inverse,
    persons: ids.length === 0 ? undefined : ids.map(Number),
    grow: numberField(config.grow),
    cells: numberField(config.cells),
    color: config.color,
    minScore: numberField(config.minScore),
    nobody: config.nobody,
    replaceSource: config.replaceSource,
    format: config.format,
    quality: numberField(config.quality),
  };
}

/** The chosen labels that the model has, all its parts where none are named. */
function labelsOf(names: readonly string[] | undefined, parsing: Parsing): readonly string[] {
  const { labels } = parsing;
  if (names === undefined) {
    const human = personIndex(parsing);
    return labels.filter((_, index) => index !== BACKGROUND_INDEX && index !== human);
  }
  // What is no list is for `redact` to refuse.
  return Array.isArray(names) ? labelsInModel(names, labels)! : names;
}
