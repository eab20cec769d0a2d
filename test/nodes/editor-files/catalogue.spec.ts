/** The texts that all nodes share: errors, statuses, the palette's category. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { STATUS_CODES } from '../../../src/errors.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import { catalogue, LANGUAGES } from '../support/editor-files.ts';
import { editorScript, registered, TYPES } from '../support/flows.ts';

const NAMESPACE = `${packageJson.name}/m2fp-model`;

describe('the shared catalogue', () => {
  for (const language of LANGUAGES) {
    it(`has a text for every error and state: ${language}`, () => {
      const texts = catalogue('m2fp-model', language);
      for (const code of [...Object.keys(STATUS_CODES), 'other'])
        assert.ok(`m2fp-model.error.${code}` in texts, code);
    });
  }

  for (const language of LANGUAGES) {
    it(`keeps statuses within 20 characters: ${language}`, () => {
      for (const [key, text] of Object.entries(catalogue('m2fp-model', language))) {
        if (!/^m2fp-model\.(status|pull|result|camera|error)\./.test(key)) continue;
        const filled = text
          .replace('__time__', '12')
          .replace('__n__', '12')
          .replace('__waiting__', '12')
          .replace('__dropped__', '1.2k')
          .replace('__percent__', '100')
          .replace('__share__', '99')
          .replace('__size__', '9999')
          .replace('__speed__', '999')
          .replace('__status__', '503')
          .replace('__seconds__', '600')
          .replace('__rate__', '12.5')
          .replace('__age__', '0.2')
          .replace('__attempt__', '5')
          .replace('__attempts__', '5');
        assert.ok(filled.length <= 20, `${key}: ${filled}`);
      }
    });
  }

  it('has the namespace that programs name', () => {
    const status = readFileSync(new URL('../../../nodes/common/status.ts', import.meta.url), 'utf8');
    assert.ok(status.includes(`'${NAMESPACE}:m2fp-model'`));
  });

  for (const type of TYPES) {
    it(`has the namespace that the form of ${type} names`, () => {
      const own = Object.keys(catalogue(type, 'en-US'));
      const shared = Object.keys(catalogue('m2fp-model', 'en-US'));
      for (const [, set, key] of editorScript(type).matchAll(/'@([^:']+):([^']+)'/g)) {
        const known = `@${set}` === NAMESPACE ? shared : own;
        assert.ok([NAMESPACE, `${packageJson.name}/${type}`].includes(`@${set}`), set);
        assert.ok(
          known.some((text) => text === key || (key!.endsWith('.') && text.startsWith(key!))),
          key,
        );
      }
    });
  }

  for (const language of LANGUAGES) {
    it(`calls the palette category the same everywhere: ${language}`, () => {
      const labels = TYPES.slice(1).map((type) => catalogue(type, language)['palette.label.m2fp']);
      assert.equal(new Set(labels).size, 1);
      assert.ok(labels[0]);
      assert.ok(catalogue('m2fp-model', language)['m2fp-model.category']);
    });
  }

  // Which node is the first to register is up to who disables some.
  for (const type of TYPES.slice(1)) {
    it(`calls the palette category of ${type} by the name that the model has`, () => {
      assert.equal(registered(type)['categoryDescription'], `${NAMESPACE}:m2fp-model.category`);
    });
  }
});
