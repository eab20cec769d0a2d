import { resolve } from 'node:path';
import type { Node, NodeAPI, NodeDef, NodeMessageInFlow } from 'node-red';
import { stemOf, stemOfTopic } from '../../src/export/dataset/file-names.ts';
import { dataSets } from '../../src/export/dataset/pool.ts';
import { badOption } from '../../src/parsing/options/options.ts';
import { asSetupFault } from '../common/failure.ts';
import { optionsInMessage } from '../common/option-names.ts';
import { parsingNode } from '../common/parsing-node.ts';
import { evaluate } from '../common/property.ts';
import { putResult } from '../common/result.ts';
import { dataSetOf, type ExportConfig, FIELDS, type PictureSettings, settingsOf } from './config.ts';

/** Adds pictures with their annotations to a data set. */
export default function (RED: NodeAPI): void {
  function createExport(this: Node, stored: NodeDef): void {
    const { config, status, parsingOf, handle } = parsingNode(RED, this, FIELDS, stored);
    handle(async (msg) => {
      const picture = { ...settingsOf(config), ...optionsInMessage<PictureSettings>(msg, 'export') };
      const folder = folderOf(RED, config);
      const parsing = await parsingOf(msg);
      const name = await nameOf(RED, this, msg, config);
      const added = await dataSets.add({ folder, options: dataSetOf(config), parsing, name, picture });
      await putResult(RED, this, msg, config, { ...added, folder, format: config.format });
      status.done(status.text(`result.${added.outcome}`, { n: added.count }));
      return [msg];
    });
    this.on('close', (_removed: boolean, done: () => void) => {
      const folder = typeof config.folder === 'string' ? config.folder.trim() : '';
      if (folder === '') return done();
      // What fails here is told by the next one that opens the data set.
      void dataSets
        .release(folderOf(RED, config))
        .catch(() => {})
        .finally(done);
    });
  }
  RED.nodes.registerType('m2fp-export', createExport);
}

/**
 * A relative one is where Node-RED's file nodes put theirs where that is set, else in the user folder.
 * @throws {M2fpError} `M2FP_BAD_OPTION`, of the form
 */
function folderOf(RED: NodeAPI, { folder }: ExportConfig): string {
  if (folder.trim() === '') throw asSetupFault(badOption('folder', folder, 'a folder, such as dataset'));
  const { userDir, fileWorkingDirectory } = RED.settings as {
    userDir?: string;
    fileWorkingDirectory?: string;
  };
  return resolve(fileWorkingDirectory ?? userDir ?? '.', folder.trim());
}

/** What the picture's files are called: what the form names, else the topic. */
async function nameOf(
  RED: NodeAPI,
  node: Node,
  msg: NodeMessageInFlow,
  config: ExportConfig,
): Promise<string> {
  const { fileName: value, fileNameType: type } = config;
  const given =
    value.trim() === '' ? undefined : await evaluate(RED, node, msg, { value, type }).catch(() => undefined);
  if (typeof given === 'number' || (typeof given === 'string' && given.trim() !== ''))
    return stemOf(String(given));
  return typeof msg.topic === 'string' ? stemOfTopic(msg.topic) : stemOf('');
}
