/** `npm run check:package` is content with what we pack, and sees each thing that the catalogue would trip over. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalogueTypes } from '../../tools/ci/catalogue.ts';
import { badDependencies, packageFaults } from '../../tools/ci/check-package.ts';
import { root, temporaryFolder } from '../support/installed-package.ts';

const CROP = 'dist/nodes/m2fp-crop/m2fp-crop';

/** What would be packed, without the model, for a test to spoil. */
function copy(): string {
  assert.ok(
    existsSync(join(root, 'dist', 'package.json')),
    'The package is not built: run "npm run build" first',
  );
  const folder = temporaryFolder('package');
  for (const name of [
    'dist',
    'examples',
    'resources',
    'package.json',
    'README.md',
    'LICENSE',
    'CHANGELOG.md',
  ])
    cpSync(join(root, name), join(folder, name), { recursive: true });
  rmSync(join(folder, 'examples/ci'), { recursive: true });
  return folder;
}

/** Changes `from`, which must be there, to `to` in a file. */
function edit(folder: string, file: string, from: string | RegExp, to: string): void {
  const text = readFileSync(join(folder, file), 'utf8');
  const changed = text.replace(from, to);
  assert.notEqual(changed, text, `${file} holds no ${String(from)}`);
  writeFileSync(join(folder, file), changed);
}

/** One spoilt thing, and what is said of it. */
const SPOILT: Record<string, { spoil: (folder: string) => void; says: RegExp }> = {
  'a name without a scope': {
    spoil: (folder) => edit(folder, 'package.json', '"@m2fp/node-red', '"node-red'),
    says: /^P04: /,
  },
  'no keyword': {
    spoil: (folder) => edit(folder, 'package.json', '"node-red",', ''),
    says: /^P05: /,
  },
  'a Node-RED that it does not take': {
    spoil: (folder) => edit(folder, 'package.json', '">=4.1.0"', '">=4.2.0"'),
    says: /^P06: .* 4\.1\.0$/,
  },
  'a Node.js that it does not take': {
    spoil: (folder) => edit(folder, 'package.json', '">=22.9"', '">=22.12"'),
    says: /^P07: .* 22\.9\.0$/,
  },
  'an install script': {
    spoil: (folder) => edit(folder, 'package.json', '"prepack"', '"postinstall"'),
    says: /^the script postinstall/,
  },
  'a script that npm takes for one when it installs from a file': {
    spoil: (folder) => edit(folder, 'package.json', '"prepublish"', '"prepare"'),
    says: /^the script prepare/,
  },
  'a type that is not a literal': {
    spoil: (folder) => edit(folder, `${CROP}.html`, "registerType('m2fp-crop'", 'registerType(TYPE'),
    says: /registerType without a literal name/,
  },
  'a spread in the definition': {
    spoil: (folder) => edit(folder, `${CROP}.html`, /color: '[^']+',/, '...common,'),
    says: /m2fp-crop: a spread or a computed name in the definition/,
  },
  'outputs that are computed': {
    spoil: (folder) => edit(folder, `${CROP}.html`, /outputs: \d/, 'outputs: 1 + 1'),
    says: /m2fp-crop: outputs is not a literal/,
  },
  'a script that does not parse': {
    spoil: (folder) =>
      edit(folder, `${CROP}.html`, "registerType('m2fp-crop', {", "registerType('m2fp-crop', {{"),
    says: /a script that does not parse/,
  },
  'ES modules': {
    spoil: (folder) => writeFileSync(join(folder, `${CROP}.js`), 'export default () => {};\n'),
    says: /m2fp-crop\.js is not CommonJS/,
  },
  'an icon that is missing': {
    spoil: (folder) => rmSync(join(folder, 'dist/nodes/m2fp-crop/icons/m2fp-crop.svg')),
    says: /icons\/m2fp-crop\.svg is missing/,
  },
  'a help that is missing': {
    spoil: (folder) => rmSync(join(folder, 'dist/nodes/m2fp-crop/locales/zh-CN/m2fp-crop.html')),
    says: /zh-CN\/m2fp-crop\.html is missing/,
  },
  'a route of everybody': {
    spoil: (folder) => edit(folder, `${CROP}.js`, /$/, '\nRED.httpAdmin.get("/status", () => {});\n'),
    says: /the route \/status does not start with m2fp/,
  },
  'a node without an example': {
    spoil: (folder) => rmSync(join(folder, 'examples'), { recursive: true }),
    says: /^N02: no example shows m2fp-crop$/,
  },
  'an image with a relative address': {
    spoil: (folder) => edit(folder, 'README.md', /$/, '\n![preview](docs/preview.png)\n'),
    says: /docs\/preview\.png in the branch master/,
  },
  'the template for users, whose files are no examples to import': {
    spoil: (folder) => {
      mkdirSync(join(folder, 'examples/ci'));
      writeFileSync(join(folder, 'examples/ci/flows.json'), '[]');
    },
    says: /^examples\/ci\/flows\.json does not belong/,
  },
  'a file too many': {
    spoil: (folder) => writeFileSync(join(folder, '.env'), 'a=b\n'),
    says: /^\.env does not belong/,
  },
};

describe('the check of the package', function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(() => (folder = copy()));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is content with ours', () => {
    assert.deepEqual(packageFaults(folder), []);
    assert.deepEqual(badDependencies(join(root, 'package-lock.json')), []);
  });

  for (const [name, { spoil, says }] of Object.entries(SPOILT)) {
    it(`sees ${name}`, () => {
      spoil(folder);
      const faults = packageFaults(folder);
      assert.ok(
        faults.some((fault) => says.test(fault)),
        faults.join('\n') || 'nothing',
      );
    });
  }

  it('sees a dependency that is known to be bad', () => {
    const lock = join(folder, 'package-lock.json');
    const all = {
      'node_modules/a/node_modules/agent-base': { version: '4.3.0' },
      'node_modules/agent-base': { version: '7.1.4' },
      'node_modules/b/node_modules/agent-base': { version: '4.3.0', dev: true },
    };
    writeFileSync(lock, JSON.stringify({ packages: all }));
    assert.deepEqual(badDependencies(lock), ['D02: agent-base 4.3.0 patches Node.js itself']);
  });
});

describe('what the catalogue reads', () => {
  it('is what is written as literals', () => {
    const { types, faults } = catalogueTypes(
      `<script type="text/javascript">RED.nodes.registerType('a', { category: 'b', color: '#fff', inputs: 1, outputs: 2,
        icon: 'a.svg', defaults: { name: { value: '' } }, label() { return this.name; } });</script>`,
    );
    const defaults = ['name'];
    assert.deepEqual(types, [
      { name: 'a', category: 'b', color: '#fff', inputs: 1, outputs: 2, icon: 'a.svg', defaults },
    ]);
    assert.deepEqual(faults, []);
  });

  it('is nothing where there is no script', () => {
    assert.deepEqual(catalogueTypes('<p>').faults, ['no <script type="text/javascript">']);
  });
});
