/** Judges the facts: what is in order, what is not, and the line that mends it. */
import { isInt8Faster } from '../m2fp/int8-speed.ts';
import { LOCAL_OWNER } from '../store/model-id.ts';
import type { Check, CheckState, Facts } from './diagnosis.ts';
import type { ModelDiagnosis, StoreDiagnosis } from './models.ts';
import type { NativeModule } from './native.ts';
import type { Platform } from './system.ts';

const OURS = '@m2fp/node-red-human-parsing';
const INSTALL_FOLDER = 'in the folder where this package is installed (for Node-RED, the user folder)';
const NODE_FLOOR = [22, 9] as const;
const NODE_RED_FLOOR = [4, 1] as const;
const GLIBC_FLOOR = [2, 28] as const;
/**
 * Bytes that pulling a full-size model takes, its checkpoint with the trainer's state and the converted model; a pull asks
 * the server for the real sizes.
 */
const PULL_BYTES = 1.05e9;

/** Of onnxruntime-node 1.30. */
const BINARIES: readonly string[] = ['linux x64', 'linux arm64', 'win32 x64', 'win32 arm64', 'darwin arm64'];

/** One line for everything that was looked at. */
export function judge(facts: Facts): Check[] {
  return [
    checkPlatform(facts),
    checkProcessor(facts),
    checkMemory(facts),
    checkNode(facts),
    checkNodeRed(facts),
    ...checkUserFolder(facts),
    checkRuntime(facts),
    checkSharp(facts),
    checkProvider(facts),
    ...checkInt8(facts),
    ...facts.models.map(checkModel),
    ...facts.stores.map(checkStore),
  ];
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`;

const check = (name: string, text: string, problem: Pick<Check, 'state' | 'fix'> | false = false): Check => ({
  name,
  text,
  ...(problem || { state: 'ok', fix: null }),
});

function checkPlatform({ platform: found, ...facts }: Facts): Check {
  const { system, arch, libc } = found;
  const name = libc === null ? '' : `, ${libc.name}${libc.version === null ? '' : ` ${libc.version}`}`;
  const fix = platformFix(found);
  return check('platform', `${system} ${arch}${name}`, fix !== null && { state: withoutRuntime(facts), fix });
}

/** How bad it is that onnxruntime-node does not work. */
const withoutRuntime = ({ provider }: Pick<Facts, 'provider'>): CheckState =>
  provider.name === null ? 'fail' : 'warn';

/** Null where onnxruntime-node has a binary. */
function platformFix({ system, arch, libc }: Platform): string | null {
  if (!BINARIES.includes(`${system} ${arch}`)) {
    return `Run it on one of ${BINARIES.join(', ')}: onnxruntime-node has binaries for these`;
  }
  if (libc?.name === 'musl') {
    return (
      'Use a system with glibc, which onnxruntime-node needs, instead of Alpine: for example the image ' +
      'nodered/node-red:latest-debian'
    );
  }
  if (libc?.version != null && isOlder(libc.version, GLIBC_FLOOR)) {
    return `Use a newer system: onnxruntime-node needs glibc ${GLIBC_FLOOR.join('.')}, as Debian 10 and Ubuntu 20.04 have it`;
  }
  return null;
}

function checkProcessor({ platform: { arch }, cpu: { model, cores, features } }: Facts): Check {
  const slow = arch === 'x64' && features !== null && !features.includes('avx2');
  return check(
    'cpu',
    `${model ?? 'unknown model'}, ${cores === 1 ? '1 core' : `${cores} cores`}, features: ` +
      (features === null ? 'unknown' : features.join(' ') || 'none that matter'),
    slow && {
      state: 'warn',
      fix: 'Without AVX2 the network is slow: in a virtual machine, pass the CPU of the host through (type "host")',
    },
  );
}

function checkMemory({ memory: { total, free }, models }: Facts): Check {
  const needed = Math.max(0, ...models.map((found) => found.memory ?? 0));
  return check(
    'memory',
    `${gigabytes(total)}, ${gigabytes(free)} free`,
    free < needed && {
      state: 'warn',
      fix: `The largest model here needs ${gigabytes(needed)}: end other programs, or give the machine or container more`,
    },
  );
}

function checkNode({ node: { version } }: Facts): Check {
  return check(
    'node',
    version,
    isOlder(version, NODE_FLOOR) && {
      state: 'fail',
      fix: `Install Node.js ${NODE_FLOOR.join('.')} or newer, best the current LTS`,
    },
  );
}

function checkNodeRed({ nodeRed: { version, where } }: Facts): Check {
  if (version === null) {
    const fix = 'Run "m2fp doctor" in the folder where Node-RED is installed, if you use Node-RED';
    return check('node-red', 'not found', { state: 'warn', fix });
  }
  return check(
    'node-red',
    where === null ? version : `${version} (${where})`,
    isOlder(version, NODE_RED_FLOOR) && {
      state: 'fail',
      fix: `Update Node-RED to ${NODE_RED_FLOOR.join('.')} or newer: npm install -g node-red@latest`,
    },
  );
}

function checkUserFolder({ userFolder }: Facts): Check[] {
  return userFolder === null ? [] : [check('user folder', `${userFolder.path} (${userFolder.reason})`)];
}

function checkRuntime(facts: Facts): Check {
  const problem = { state: withoutRuntime(facts), fix: runtimeFix(facts) };
  return native('onnxruntime', facts.onnxruntime, problem);
}

function runtimeFix({ platform: found, onnxruntime: { version } }: Facts): string {
  if (platformFix(found) !== null) return 'See platform';
  if (version !== null) return reinstall(`npm install --force ${OURS}`);
  return `Run "ONNXRUNTIME_NODE_INSTALL=skip npm install ${OURS} --include=optional" ${INSTALL_FOLDER}, then restart`;
}

function checkSharp({ sharp: module }: Facts): Check {
  const fix = reinstall('npm install --include=optional sharp');
  return native('sharp', module, { state: 'fail', fix });
}

const reinstall = (command: string) =>
  `Run "${command}" ${INSTALL_FOLDER}, with the Node.js and on the machine that run it, then restart`;

function native(
  name: string,
  { version, problem }: NativeModule,
  found: Pick<Check, 'state' | 'fix'>,
): Check {
  if (problem === null) return check(name, version ?? 'unknown version');
  return check(name, version === null ? problem : `${version}: ${problem}`, found);
}

function checkProvider({ provider: { name, reason } }: Facts): Check {
  return check(
    'provider',
    `${name ?? 'none'}: ${reason}`,
    name === null && { state: 'fail', fix: 'See onnxruntime' },
  );
}

function checkInt8({ int8: { speed, problem }, models }: Facts): Check[] {
  if (problem !== null) {
    const fix = 'Run "m2fp doctor" once more when the machine has less to do';
    return [check('int8', `not measured: ${problem}`, { state: 'warn', fix })];
  }
  if (speed === null) return [];
  const { ratio, instructions, threads } = speed;
  const where = `${instructions}, ${threads === 1 ? '1 thread' : `${threads} threads`}`;
  if (isInt8Faster(speed))
    return [
      check(
        'int8',
        `a full-size model is about ${ratio.toFixed(1)} x as fast as in float32 here (${where}), measured; small ones, such ` +
          'as the bundled one, gain less',
      ),
    ];
  const inVain = models.filter(({ precision }) => precision === 'int8').map(({ id }) => id);
  return [
    check(
      'int8',
      `not faster than float32 here (${ratio.toFixed(1)} x; ${where}), measured`,
      inVain.length > 0 && {
        state: 'warn',
        fix: `Take the fp32 or fp16 model, which is more accurate, in place of the int8 one: ${inVain.join(', ')}`,
      },
    ),
  ];
}

function checkModel(found: ModelDiagnosis): Check {
  const {
    id,
    revision,
    precision,
    kind,
    labels,
    size,
    digest,
    state,
    problem,
    warnings,
    memory: needed,
  } = found;
  const name = revision === null ? `${id ?? 'm2fp-demo'} (bundled)` : `${id} (${revision}, ${precision})`;
  const facts = [
    ...(kind === null ? [] : [kind]),
    ...(labels === null ? [] : [`${labels.length} labels`]),
    ...(size === null ? [] : [`${(size / 1e6).toFixed(1)} MB`]),
    ...(digest === null ? [] : [`digest ${digest.slice(0, 12)}`]),
    ...(needed === null ? [] : [`needs about ${gigabytes(needed)}`]),
  ];
  if (state === 'ok') {
    const fix = warnings.length > 0 && { state: 'warn' as const, fix: warnings.join(' ') };
    return check('model', `${name}: ${facts.join(', ')}`, fix);
  }
  return check('model', `${name} is damaged: ${problem}`, { state: 'fail', fix: modelFix(found) });
}

function modelFix({ id, revision, precision, store: root }: ModelDiagnosis): string {
  if (root === null) return `Run "npm install --force ${OURS}" ${INSTALL_FOLDER}`;
  // Without quotes a shell knows what ~ is.
  const folder = /\s/.test(root) ? `"${root}"` : root;
  const name = `${id} --revision ${revision} --precision ${precision} --store ${folder}`;
  const remove = `Run "m2fp models remove ${name}"`;
  if (id?.startsWith(`${LOCAL_OWNER}/`)) return `${remove}: it is converted again when it is needed`;
  return `${remove} and then "m2fp pull ${name}"`;
}

function checkStore({ folder, models, free, problem }: StoreDiagnosis): Check {
  const fix =
    'Let the user that runs Node-RED read that folder, or name another one with --user-dir or --store';
  if (problem !== null) return check('store', problem, { state: 'fail', fix });
  const space = free === null ? '' : `, ${gigabytes(free)} free`;
  return check(
    'store',
    `${folder}: ${models === 1 ? '1 model' : `${models} models`}${space}`,
    free !== null &&
      free < PULL_BYTES && {
        state: 'warn',
        fix: `Pulling a full-size model takes ${gigabytes(PULL_BYTES)}: free some space, or take another disk with --store`,
      },
  );
}

/** `version`, with or without a `v` in front, compared by its first two numbers. */
function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, first, second] = /^v?(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  return Number(first) < major || (Number(first) === major && Number(second ?? 0) < minor);
}
