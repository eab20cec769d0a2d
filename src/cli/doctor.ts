/** `m2fp doctor`: what is wrong with this installation, and the line that mends it. */
import { diagnose } from '../observe/doctor.ts';
import { report } from '../observe/report.ts';
import { type Command, readArguments, type Terminal } from './command.ts';
import { DEFAULT_STORE, STORE_OPTIONS, storeHelp, storeOption } from './stores.ts';
import { endable } from './interrupt.ts';
import { findUserFolder } from './user-folder.ts';

export const doctor: Command = {
  name: 'doctor',
  summary: 'check this installation, and say how to mend it',
  help: `Usage: m2fp doctor [options]

Checks the system, Node.js and Node-RED, whether onnxruntime and sharp load and work, the bundled model and those
in the store with their digests, memory and disk; measures for some seconds how much faster int8 is here; says for each
problem what mends it. Paste its output into an issue: names and home folders of users are left out. The exit code is
1 where something fails.

Options:
  --store DIR         the model store to look into (default: ${DEFAULT_STORE})
${storeHelp(22)}
  --json              print it as JSON
  --help              show this text
`,
  run,
};

async function run(args: string[], { out }: Terminal): Promise<number> {
  const { options, flags } = readArguments(doctor, args, {
    takes: [],
    options: STORE_OPTIONS,
    flags: ['json'],
  });
  const userFolder = findUserFolder(options['user-dir']);
  const diagnosis = await endable(() => diagnose({ stores: [storeOption(options).root], userFolder }));
  out.write(flags.json ? `${JSON.stringify(diagnosis, undefined, 2)}\n` : report(diagnosis));
  return diagnosis.state === 'fail' ? 1 : 0;
}
