/**
 * Our entries in the palette. The palette's filter finds a node by its type and its label, so the labels hold words that
 * people search for, and the attribute that the filter reads holds more of them, which would make the labels unreadable.
 */
import type { Dollar, EditorNode } from './editor.ts';

/** A node as its definition's functions have it: with texts of its own catalogue. */
type WithTexts = EditorNode & { _(key: string): string };

/**
 * More words that people search for, in any language of the editor: the filter looks at the type and the label's attribute,
 * and neither at helps nor at the keywords of packages.
 */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  'm2fp-camera': wordsIn(
    'person people image picture photo video stream snapshot rtsp mjpeg ffmpeg ip webcam cctv onvif frigate go2rtc motion 监控 视频 人物 移动',
  ),
  'm2fp-infer': wordsIn(
    'person people face parsing segmentation mask privacy image picture photo camera count 人数 摄像头 照片',
  ),
  'm2fp-load': wordsIn('warm-up 预热'),
  'm2fp-preprocess': wordsIn('parsing image picture resize 缩放'),
  'm2fp-colorize': wordsIn(
    'person people parts segmentation mask colour color image picture overlay 上色 叠加',
  ),
  'm2fp-mask': wordsIn(
    'person clothes garment tryon inpainting agnostic CatVTON VTON segmentation image picture edit 换装 重绘 抠图 遮罩 掩码',
  ),
  'm2fp-crop': wordsIn('person people face image picture cut cutout 抠图 人像'),
  'm2fp-describe': wordsIn(
    'person people persons clothes clothing garment colour color colors describe wear attributes hair 衣服 穿着 颜色 人物 描述',
  ),
  'm2fp-redact': wordsIn(
    'person people face mask blur privacy hide pixelate mosaic anonymize image picture 打码 马赛克 匿名',
  ),
  'm2fp-export': wordsIn(
    'person people annotation annotations dataset data training train coco yolo voc pascal labelme cvat label studio cihp polygon mask segmentation image picture file save 导出 标注 数据集 训练',
  ),
  'm2fp-track': wordsIn(
    'person people track tracking count counting zone line crossing dwell camera 人数 统计 越线 区域 摄像头',
  ),
  'm2fp-preview': wordsIn('person people image picture camera thumbnail show 缩略图 查看'),
  'm2fp-request': wordsIn('person people image picture api rest http upload 接口 上传'),
  'm2fp-response': wordsIn('person people api rest http json coco answer 接口 应答'),
  'm2fp-jobs': wordsIn('person people api rest http queue webhook 接口 队列'),
  'm2fp-status': wordsIn('health metrics monitor prometheus 健康 监控 指标'),
};

/** What the package is about finds all of it. */
const OF_ALL = wordsIn('human 人体');

function wordsIn(text: string): string[] {
  return text.split(' ');
}

/** Functions of a node's definition. */
export interface Entry {
  onpaletteadd(): void;
  paletteLabel(this: WithTexts): string;
  label(this: WithTexts): string;
  labelStyle(this: WithTexts): string;
  inputLabels(this: WithTexts): string;
  outputLabels(this: WithTexts): string;
}

/** The functions of the node `type`, by the texts of its catalogue. */
export function createEntry($: Dollar, type: string): Entry {
  return {
    onpaletteadd: () => shortenInPalette($, type),
    paletteLabel() {
      return this._(`${type}.paletteLabel`);
    },
    label() {
      return this.name || this._(`${type}.nodeLabel`);
    },
    labelStyle() {
      return this.name ? 'node_label_italic' : '';
    },
    inputLabels() {
      return this._(`${type}.port.input`);
    },
    outputLabels() {
      return this._(`${type}.port.output`);
    },
  };
}

/** Letters of a line, of which a Chinese one takes the room of two. */
const LINE = 13;
/** Of a line, and around all of them, pixels, as the editor has it. */
const LINE_HEIGHT = 20;
const AROUND = 8;
/** Of a port, pixels. */
const PORT = 10;

/** Shows what stands before the colon. Where an editor is built in another way, the whole label stays. */
export function shortenInPalette($: Dollar, type: string): void {
  const entry = $(`.red-ui-palette-node[data-palette-type="${type}"]`);
  const label = entry.find('.red-ui-palette-label');
  // What the editor's filter looks at; nothing shows it.
  const whole = entry.attr('data-palette-label');
  if (label.length !== 1 || whole === undefined) return;
  entry.attr('data-palette-label', [whole, ...OF_ALL, ...(WORDS[type] ?? [])].join(' '));
  const lines = shortLines(whole);
  label.empty();
  lines.forEach((line, index) => {
    if (index > 0) label.append($('<br>'));
    label.append($('<span>').text(line));
  });
  const height = AROUND + LINE_HEIGHT * lines.length;
  entry.css('height', `${height}px`);
  entry.find('.red-ui-palette-port').css('top', `${(height - PORT) / 2}px`);
}

/** "M2FP infer: human parsing" in the lines that are shown of it. */
export function shortLines(label: string): string[] {
  const words = label.split(/[:：]/, 1)[0]!.trim().split(' ');
  const lines: string[] = [];
  for (const word of words) {
    const joined = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && widthOf(joined) <= LINE) lines[lines.length - 1] = joined;
    else lines.push(word);
  }
  return lines;
}

function widthOf(text: string): number {
  return Array.from(text).reduce((sum, letter) => sum + (letter.codePointAt(0)! > 0x2e80 ? 2 : 1), 0);
}
