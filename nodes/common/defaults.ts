/**
 * What the forms begin with, for nodes that do not store it: those that were made by an API or written by hand may lack
 * any field, and behave as if they came from the palette. The forms (the `defaults` in each node's html) say the same;
 * a test holds the two together.
 */

const PARSING = { parsing: 'parsing', parsingType: 'msg' };
const PICTURE = { picture: 'payload', pictureType: 'msg' };
const RESULT = { result: 'payload', resultType: 'msg' };

export const FORM_DEFAULTS = {
  'm2fp-model': {
    source: 'bundled',
    folder: '',
    modelId: 'iic/cv_resnet101_image-multiple-human-parsing',
    revision: 'master',
    precision: 'fp32',
    baseUrl: '',
    threads: 0,
    maxQueue: 32,
    timeout: 60,
    shortSide: '',
    longSide: '',
    processes: 1,
    warmUp: false,
    idleUnload: 0,
    maxMemory: '',
    cacheSize: 0,
    maxImageSize: 32,
    maxMegapixels: 64,
    redis: '',
    queue: 'm2fp',
  },
  'm2fp-load': { model: '', action: 'load', onStart: false },
  'm2fp-preprocess': { model: '', ...PICTURE, ...RESULT },
  'm2fp-infer': {
    model: '',
    ...PICTURE,
    scoreThreshold: 0.5,
    flip: false,
    policy: 'wait',
    limit: 8,
    key: 'topic',
    maxAge: '',
    priority: '0',
    priorityType: 'num',
    ...RESULT,
  },
  'm2fp-colorize': {
    ...PARSING,
    mode: 'overlay',
    opacity: 0.6,
    by: 'label',
    paint: 'parts',
    minScore: 0.3,
    background: 'keep',
    dim: 0.6,
    blurRadius: '',
    labels: '',
    palette: 'auto',
    colors: '{}',
    contours: 0,
    contourColor: '#ffffff',
    names: false,
    scores: false,
    legend: 'none',
    textSize: '',
    format: 'png',
    quality: 90,
    ...RESULT,
  },
  'm2fp-crop': {
    ...PARSING,
    what: 'person-parts',
    labels: '',
    groups: '',
    mode: 'box',
    grow: 0,
    feather: 0,
    padding: '0',
    aspect: '',
    edge: 'clamp',
    fill: '',
    scale: 'none',
    maxSide: 512,
    width: '',
    height: '',
    minArea: 1,
    minScore: 0,
    max: 255,
    format: 'png',
    quality: 90,
    output: 'sequence',
    ...RESULT,
  },
  'm2fp-redact': {
    ...PARSING,
    method: 'blur',
    cells: 6,
    color: '#000000',
    labels: 'Face,Hair,Sunglasses',
    inverse: false,
    persons: '',
    grow: '',
    minScore: 0,
    uncovered: 'person',
    nobody: 'pass',
    replaceSource: true,
    format: 'png',
    quality: 90,
    ...RESULT,
  },
  'm2fp-preview': { view: 'auto', ...PARSING, ...PICTURE, size: 200, minScore: 0.3, active: true },
  'm2fp-status': { model: '', format: 'json', probe: false, onChange: false },
} as const satisfies Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The configuration of a node of `type` in full: what it stores, and the form's default for each field that it does not. */
export function withDefaults<Config extends object>(
  type: keyof typeof FORM_DEFAULTS,
  stored: { readonly [Name in keyof Config]?: Config[Name] | undefined },
): Config {
  const given = Object.entries(stored).filter(([, value]) => value !== undefined && value !== null);
  return { ...FORM_DEFAULTS[type], ...Object.fromEntries(given) } as unknown as Config;
}
