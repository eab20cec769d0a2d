import { canvasOf, personsOf, pixelsOf } from './pixels.js';
import { isSendable, wordsOf } from './refusal.js';
import { chinese, labelText, text } from './texts.js';

const SAMPLES = ['two-people', 'group', 'portrait', 'running'];
/** Pixels of the longer side that is sent: more only costs time. */
const LONGEST = 1600;

const $ = (id) => document.getElementById(id);
const element = (tag, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

document.documentElement.lang = chinese ? 'zh-CN' : 'en';
document.title = text('title');
for (const target of document.querySelectorAll('[data-text]')) target.textContent = text(target.dataset.text);
$('blend').ariaLabel = text('blend');
$('video').ariaLabel = text('live');
$('json').ariaLabel = text('jsonOf');

/** What is shown: { picture, labels, labelOf, personOf, hexOf, hidden }; hidden: keys of what is not painted. */
let shown;
let request;
/** What was last to be parsed. */
let latest;

const say = (message, error = '') => {
  $('message').textContent = message;
  $('error').textContent = error;
};

let hexes;
/** "#rrggbb" by label. */
const palette = () => (hexes ??= fetch('files/palette.json').then((response) => response.json()));

async function parse(file) {
  latest = file;
  request?.abort();
  const { signal } = (request = new AbortController());
  say(text('reading'));
  $('result').ariaBusy = 'true';
  try {
    await show(file, signal);
  } catch (error) {
    if (signal.aborted) return;
    fail(error.words ?? text('failed', error.message));
  } finally {
    if (!signal.aborted) $('result').ariaBusy = 'false';
  }
}

/** There is no result of the picture, so that of another one is not left beside the error. */
function fail(words) {
  shown = undefined;
  $('result').hidden = true;
  say('', words);
}

function askForKey() {
  $('key').hidden = false;
  $('keyText').focus();
}

const inWords = (words) => Object.assign(new Error(words), { words });

async function show(file, signal) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw inWords(text('unreadable'));
  });
  const scale = Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height));
  let picture = canvasOf(bitmap, Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  const asItIs = scale === 1 && /^image\/(jpeg|png|webp)$/.test(file.type);
  const sent = asItIs ? file : await new Promise((resolve) => picture.toBlob(resolve, 'image/jpeg', 0.92));
  const body = new FormData();
  body.append('picture', sent, 'picture');
  const start = performance.now();
  const key = $('keyText').value.trim();
  if (!isSendable(key)) {
    askForKey();
    throw inWords(text('impossibleKey'));
  }
  const headers = { accept: 'application/json', ...(key && { 'x-api-key': key }) };
  const response = await fetch('api/parse?view=labels&picture=true&masks=rle', {
    method: 'POST',
    body,
    headers,
    signal,
  }).catch(() => {
    throw inWords(text('offline'));
  });
  const answer = await response.json().catch(() => undefined);
  if (!response.ok || !answer?.picture) {
    if (answer?.code === 'M2FP_UNAUTHORIZED') askForKey();
    throw inWords(wordsOf(response.status, answer, key));
  }
  $('key').hidden = true;
  const trip = performance.now() - start;
  const { picture: labelMap, ...summary } = answer;
  const { labels } = summary;
  const labelOf = await pixelsOf(labelMap.data);
  const personOf = personsOf(summary, labelOf);
  const hexOf = await palette();
  // The masks are long, and nothing to read.
  for (const region of [...summary.persons, ...summary.parts]) delete region.mask;
  if (signal.aborted) return;
  if (picture.width !== summary.width || picture.height !== summary.height)
    picture = canvasOf(bitmap, summary.width, summary.height);
  shown = {
    picture,
    labels,
    labelOf,
    personOf,
    hexOf,
    hidden: new Set(),
    overlay: undefined,
    name: file.name,
  };
  const { length } = summary.persons;
  const found =
    length === 0 && summary.parts.length === 0
      ? text('nobody')
      : length === 1
        ? text('onePerson')
        : text('persons', length);
  showLegend();
  showPeople(summary);
  showTimes(summary.timing, trip);
  $('json').textContent = JSON.stringify(summary, null, 2);
  $('view').style.width =
    `${Math.min(Math.max(summary.width, 480), (innerHeight * 0.75 * summary.width) / summary.height)}px`;
  $('canvas').width = summary.width;
  $('canvas').height = summary.height;
  $('canvas').ariaLabel = text(
    'picture',
    found,
    [...$('legend').querySelectorAll('.name')].map(({ textContent }) => textContent).join(', '),
  );
  $('result').hidden = false;
  draw();
  say(text('done', found));
}

const byPerson = () => $('byPerson').ariaPressed === 'true';
/** Beyond all persons: what belongs to none. */
const NOBODY = 256;
/** What the pixel whose red lies `at` belongs to: a label or a person; 0 for the background. */
const keyOf = (at) => {
  const { labelOf, personOf } = shown;
  if (labelOf[at] === 0 || !byPerson()) return labelOf[at];
  return personOf[at / 4] || NOBODY;
};
const nameOf = (key) => {
  if (!byPerson()) return labelText(shown.labels[key] ?? String(key));
  return key === NOBODY ? text('noPerson') : text('person', key);
};
/** Hues that lie far apart, for persons beside each other. */
function personColor(person) {
  if (person === NOBODY) return [128, 128, 128];
  const hue = (200 + person * 137.5) % 360;
  return [0, 8, 4].map((offset) => {
    const at = (offset + hue / 30) % 12;
    return Math.round(255 * (0.5 - 0.4 * Math.max(-1, Math.min(at - 3, 9 - at, 1))));
  });
}
/** Of a label or a person. A label that no table knows has a hue of its own. */
function colorOf(key) {
  const hex = shown.hexOf[shown.labels[key]];
  if (byPerson() || hex === undefined) return personColor(key);
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** The colours of what is not hidden. */
function overlay() {
  const {
    picture: { width, height },
    labelOf,
    hidden,
  } = shown;
  const pixels = new ImageData(width, height);
  const persons = byPerson();
  const colors = new Map();
  for (let at = 0; at < labelOf.length; at += 4) {
    if (labelOf[at] === 0) continue;
    const key = persons ? shown.personOf[at / 4] || NOBODY : labelOf[at];
    if (hidden.has(key)) continue;
    if (!colors.has(key)) colors.set(key, colorOf(key));
    pixels.data.set(colors.get(key), at);
    pixels.data[at + 3] = 255;
  }
  const canvas = element('canvas', { width, height });
  canvas.getContext('2d').putImageData(pixels, 0, 0);
  return canvas;
}

function draw() {
  if (!shown) return;
  const context = $('canvas').getContext('2d');
  context.globalAlpha = 1;
  context.drawImage(shown.picture, 0, 0);
  context.globalAlpha = $('blend').value / 100;
  context.drawImage((shown.overlay ??= overlay()), 0, 0);
}

/** For a reader: what is there is never "0.0 %". */
const shareText = (share) => (share < 0.001 ? '<0.1 %' : `${(100 * share).toFixed(1)} %`);

function showLegend() {
  const { labelOf, personOf, hidden } = shown;
  const persons = byPerson();
  const found = new Map();
  for (let at = 0; at < labelOf.length; at += 4) {
    if (labelOf[at] === 0) continue;
    const key = persons ? personOf[at / 4] || NOBODY : labelOf[at];
    const entry = found.get(key) ?? { pixels: 0, color: `rgb(${colorOf(key).join()})` };
    entry.pixels++;
    found.set(key, entry);
  }
  const order = persons ? ([a], [b]) => a - b : ([, a], [, b]) => b.pixels - a.pixels;
  const rows = [...found].toSorted(order).map(([key, { pixels, color }]) => {
    const box = element('input', { type: 'checkbox', checked: true });
    box.addEventListener('change', () => {
      if (box.checked) hidden.delete(key);
      else hidden.add(key);
      shown.overlay = undefined;
      draw();
    });
    const swatch = element('span', { className: 'swatch' });
    swatch.style.background = color;
    const name = element('span', { className: 'name' }, nameOf(key));
    const share = element('span', { className: 'share quiet' }, shareText((4 * pixels) / labelOf.length));
    return element('li', {}, element('label', {}, box, swatch, name, share));
  });
  $('legend').replaceChildren(...rows);
}

function showPeople({ persons, parts }) {
  const list = (own) => [...new Set(own.map(({ label }) => labelText(label)))].join(', ');
  const ofPerson = (person) => list(parts.filter((part) => part.person === person));
  const rows = persons.map(
    ({ id, score }) => `${text('person', id)} (${Math.round(score * 100)} %): ${ofPerson(id)}`,
  );
  if (ofPerson(null) !== '') rows.push(`${text('noPerson')}: ${ofPerson(null)}`);
  if (rows.length === 0) rows.push(text('nobody'));
  $('people').replaceChildren(...rows.map((row) => element('li', {}, row)));
}

function showTimes(timing, trip) {
  const row = (name, ms) => {
    const head = element('th', { scope: 'row' }, text(name));
    return element('tr', {}, head, element('td', {}, text('ms', Math.round(ms))));
  };
  const names = ['queue', 'decode', 'preprocess', 'inference', 'postprocess', 'total'];
  $('times').replaceChildren(...names.map((name) => row(name, timing[name])), row('trip', trip));
}

/** What lies under the pointer, beside it. */
function nameUnder(event) {
  const box = $('canvas').getBoundingClientRect();
  const x = Math.floor(((event.clientX - box.left) * $('canvas').width) / box.width);
  const y = Math.floor(((event.clientY - box.top) * $('canvas').height) / box.height);
  const at = 4 * (y * $('canvas').width + x);
  const inside = shown && x >= 0 && y >= 0 && x < $('canvas').width && y < $('canvas').height;
  const index = inside ? shown.labelOf[at] : 0;
  $('under').hidden = index === 0 || shown.hidden.has(keyOf(at));
  if ($('under').hidden) return;
  const person = shown.personOf[at / 4];
  $('under').textContent = [
    ...(person > 0 ? [text('person', person)] : []),
    labelText(shown.labels[index] ?? String(index)),
  ].join(' · ');
  const left = Math.min(event.clientX - box.left + 12, box.width - $('under').offsetWidth);
  $('under').style.left = `${Math.max(0, left)}px`;
  $('under').style.top = `${Math.max(0, event.clientY - box.top - 36)}px`;
}

$('canvas').addEventListener('pointermove', nameUnder);
$('canvas').addEventListener('pointerdown', nameUnder);
$('canvas').addEventListener('pointerleave', () => {
  $('under').hidden = true;
});
$('blend').addEventListener('input', draw);
for (const id of ['byPart', 'byPerson']) {
  $(id).addEventListener('click', () => {
    for (const each of ['byPart', 'byPerson']) $(each).ariaPressed = String(each === id);
    if (!shown) return;
    shown.hidden.clear();
    shown.overlay = undefined;
    showLegend();
    draw();
  });
}
/** As it is shown, in the size of the picture. */
$('save').addEventListener('click', () => {
  $('canvas').toBlob((blob) => {
    const address = URL.createObjectURL(blob);
    const stem = (shown.name ?? 'picture').replace(/\.[^.]*$/, '');
    element('a', { href: address, download: `${stem}-${byPerson() ? 'people' : 'parts'}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
  }, 'image/png');
});
for (const [id, checked] of [
  ['all', true],
  ['none', false],
]) {
  $(id).addEventListener('click', () => {
    for (const box of $('legend').querySelectorAll('input')) if (box.checked !== checked) box.click();
  });
}

const take = (files) => {
  const file = [...files][0];
  if (file) void parse(file);
  else fail(text('noPicture'));
};
$('file').addEventListener('change', () => {
  if ($('file').files.length > 0) take($('file').files);
  // The same file again is a change, too.
  $('file').value = '';
});
$('key').addEventListener('submit', (event) => {
  event.preventDefault();
  if (latest) void parse(latest);
});
for (const name of SAMPLES) {
  const picture = element('img', { src: `files/${name}.jpg`, alt: text('sample', text(name)) });
  const button = element('button', { type: 'button' }, picture);
  button.addEventListener('click', async () => {
    const bytes = await fetch(picture.src)
      .then((response) => response.blob())
      .catch(() => undefined);
    if (bytes) void parse(new File([bytes], `${name}.jpg`, { type: 'image/jpeg' }));
    else fail(text('offline'));
  });
  $('samples').append(button);
}
addEventListener('paste', ({ clipboardData }) => take(clipboardData.files));
addEventListener('dragover', (event) => {
  event.preventDefault();
  $('drop').classList.add('over');
});
addEventListener('dragleave', () => $('drop').classList.remove('over'));
addEventListener('drop', (event) => {
  event.preventDefault();
  $('drop').classList.remove('over');
  take(event.dataTransfer.files);
});

function closeCamera() {
  for (const track of $('video').srcObject?.getTracks() ?? []) track.stop();
  $('video').srcObject = null;
  $('live').hidden = true;
  $('camera').focus();
}

async function openCamera() {
  if (!navigator.mediaDevices?.getUserMedia) return say('', text('insecure'));
  try {
    const video = { facingMode: 'environment', width: { ideal: 1280 } };
    $('video').srcObject = await navigator.mediaDevices.getUserMedia({ video });
    $('live').hidden = false;
    say('');
    $('snap').focus();
  } catch (error) {
    const known = { NotAllowedError: 'denied', NotFoundError: 'noCamera' }[error.name];
    say('', known ? text(known) : text('cameraBusy', error.message));
  }
}
$('camera').addEventListener('click', () => void openCamera());
$('stop').addEventListener('click', closeCamera);
$('snap').addEventListener('click', () => {
  const { videoWidth: width, videoHeight: height } = $('video');
  if (width === 0) return;
  canvasOf($('video'), width, height).toBlob((blob) => void parse(blob), 'image/jpeg', 0.92);
  closeCamera();
});
