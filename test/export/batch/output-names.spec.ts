import assert from 'node:assert/strict';
import { outputPaths, type OutputPlan } from '../../../src/export/batch/outputs.ts';
import { OutputNames } from '../../../src/export/batch/output-names.ts';

describe('names of what a batch makes', () => {
  const plan = (...outputs: OutputPlan['outputs']): OutputPlan => ({
    outputs,
    options: {},
    json: () => ({}),
    dataSet: undefined,
    folder: '/',
  });
  const namesOf = (files: readonly string[], ...outputs: OutputPlan['outputs']): string[] => {
    const names = new OutputNames();
    return files.map((file) => names.take(file, file, (name) => outputPaths(name, plan(...outputs))));
  };

  it('are those of the pictures', () => {
    const files = ['a.jpg', 'a.jpg.webp', 'b/a.jpg', 'a.tiff', 'b', 'a.png'];
    assert.deepEqual(
      namesOf(files, 'json', 'colorize', 'redact', 'crop', 'mask', 'export').slice(0, 4),
      files.slice(0, 4),
    );
    assert.deepEqual(namesOf(files, 'redact').slice(0, 4), files.slice(0, 4));
  });

  for (const [what, files, outputs, names] of [
    ['a format that becomes another', ['x.tiff', 'x.tiff.png'], ['redact'], ['x.tiff', 'x.tiff-2.png']],
    [
      'a name that is taken, too',
      ['x.gif', 'x.gif-2.png', 'x.gif.png'],
      ['redact'],
      ['x.gif', 'x.gif-2.png', 'x.gif-3.png'],
    ],
    [
      'letters in another case',
      ['A.jpg', 'a.JPG', 'sub/a.jpg', 'SUB/a.jpg'],
      ['json'],
      ['A.jpg', 'a-2.JPG', 'sub/a.jpg', 'SUB/a-2.jpg'],
    ],
    [
      'an accent that is written in two ways',
      ['\u00E9.jpg', 'e\u0301.jpg'],
      ['json'],
      ['\u00E9.jpg', 'e\u0301-2.jpg'],
    ],
    ['a folder of crops', ['a.jpg', 'A.jpg/face.png'], ['crop'], ['a.jpg', 'A.jpg-2/face.png']],
    [
      'a folder where a file is',
      ['x.tiff', 'x.tiff.png/y.jpg'],
      ['redact'],
      ['x.tiff', 'x.tiff.png-2/y.jpg'],
    ],
    ['a file where a folder is', ['x.jpg.json/y.jpg', 'x.jpg'], ['json'], ['x.jpg.json/y.jpg', 'x-2.jpg']],
    ['the second mask', ['x', 'x.agnostic'], ['mask'], ['x', 'x-2.agnostic']],
  ] as const) {
    it(`have a number for ${what}`, () => {
      assert.deepEqual(namesOf(files, ...outputs), names);
    });
  }

  it('stay whose they were', () => {
    const names = new OutputNames();
    names.add('x.tiff.png', ['redact/x.tiff.png', 'crop/x.tiff.png/face.png']);
    const take = (file: string): string =>
      names.take(file, file, (name) => outputPaths(name, plan('redact', 'crop')));
    assert.deepEqual(['x.tiff', 'x.tiff.png'].map(take), ['x-2.tiff', 'x.tiff.png']);
    assert.deepEqual(['x.tiff.png', 'x.tiff'].map(take), ['x.tiff.png', 'x-2.tiff']);
  });
});
