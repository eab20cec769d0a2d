/** `m2fp video` with Debian's ffmpeg: what comes out, frame by frame, of videos whose people are known. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSequence, type SequenceFrame } from '../../bench/track/sequences.ts';
import { M2fpError } from '../../src/errors.ts';
import { BoxesView } from '../../src/export/video/boxes-view.ts';
import { convertVideo, type VideoJob } from '../../src/export/video/convert-video.ts';
import { RedactView } from '../../src/export/video/redact-view.ts';
import { findFfmpeg } from '../../src/ffmpeg.ts';
import { decodeRle } from '../../src/parsing/masks/rle.ts';
import { parsingOf } from '../parsing/scene.ts';
import { failure, interruptedAt, m2fp, start } from '../cli/support.ts';
import { childrenOf } from '../support/processes.ts';
import { requireProgram } from '../support/programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'm2fp-video-file-'));
const at = (name: string): string => join(folder, name);
/** Small and quick: what is found does not matter. */
const QUICK = ['--short-side', '64'];
const FILL = { method: 'fill', color: '#ff00ff' } as const;

/** @returns its standard output */
function ffmpeg(...args: string[]): Buffer {
  return execFileSync('ffmpeg', ['-loglevel', 'error', '-y', ...args], { maxBuffer: 2 ** 28 });
}

function probe(file: string, ...asked: string[]): string {
  return execFileSync('ffprobe', ['-v', 'error', ...asked, '-of', 'csv=p=0', file], {
    encoding: 'utf8',
  }).trim();
}

/** When each frame is shown, seconds. */
const timesOf = (file: string): string[] =>
  probe(file, '-select_streams', 'v', '-show_entries', 'frame=pts_time').match(/[\d.]+/g) ?? [];
const soundOf = (file: string): string =>
  ffmpeg('-i', file, '-map', '0:a', '-c', 'copy', '-f', 'streamhash', '-').toString();
const pixelsOf = (file: string): Buffer => ffmpeg('-i', file, '-map', '0:V', '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'); // prettier-ignore
const sizeOf = (file: string): string =>
  probe(file, '-select_streams', 'V', '-show_entries', 'stream=width,height');

/** Those that this process started and that still run. */
function ownFfmpegs(): string[] {
  const lines = execFileSync('ps', ['-A', '-o', 'ppid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => new RegExp(`^ *${process.pid} +[^Z]\\S* .*ffmpeg`).test(line));
}

/** A video of drawn people, and its truth. */
function draw(name: string, count: number): { file: string; frames: SequenceFrame[] } {
  const frames = readSequence(name, 5).frames.slice(0, count);
  const pictures = mkdtempSync(at('pictures-'));
  frames.forEach(({ image }, i) => writeFileSync(join(pictures, `${i}.jpg`), image));
  const file = at(`${name}.mp4`);
  const tags = ['title=A secret', 'location=+48.1+11.5/'].flatMap((tag) => ['-metadata', tag]);
  ffmpeg('-framerate', '5', '-i', join(pictures, '%d.jpg'), '-f', 'lavfi', '-i', `sine=d=${count / 5}`, '-c:v', 'libx264', '-crf', '10', '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-metadata:s:a:0', 'language=deu', ...tags, file); // prettier-ignore
  return { file, frames };
}

/** A job whose frames are parsed by `parse`, or have nobody in them. */
async function job(input: string, output: string, more: Partial<VideoJob> = {}): Promise<VideoJob> {
  return {
    input,
    output,
    boxes: undefined,
    view: new BoxesView(),
    every: 1,
    keepsAudio: true,
    keepsMetadata: false,
    ffmpeg: await findFfmpeg(),
    parse: () =>
      parsingOf({ labels: ['Background', 'Face', 'Human'], width: 2, height: 1, persons: [], parts: [] }),
    parallel: 2,
    signal: new AbortController().signal,
    onProgress: () => {},
    onNote: () => {},
    ...more,
  };
}

/** Parses the truth, frame by frame. */
function truthOf(frames: readonly SequenceFrame[], every: number): VideoJob['parse'] {
  const parsed = frames.filter((_, i) => i % every === 0 || i === frames.length - 1);
  return (image) => Promise.resolve({ ...parsed.shift()!.parsing, image });
}

/** Share of the truth's face pixels that are not magenta, of each frame. */
function shownFaces(file: string, frames: readonly SequenceFrame[]): number[] {
  const pixels = pixelsOf(file);
  return frames.map(({ parsing: { parts, width, height } }, frame) => {
    const first = 3 * width * height * frame;
    let [all, shown] = [0, 0];
    for (const { mask } of parts.filter(({ label }) => label === 'Face')) {
      decodeRle(mask).forEach((inside, p) => {
        if (inside === 0) return;
        all++;
        const [red, green, blue] = pixels.subarray(first + 3 * p, first + 3 * p + 3);
        if (red! < 200 || green! > 60 || blue! < 200) shown++;
      });
    }
    return all === 0 ? 0 : shown / all;
  });
}

describe('m2fp video', function () {
  this.timeout(180_000);
  let drawn: ReturnType<typeof draw>;

  before(() => {
    requireProgram('ffmpeg', 'ffmpeg');
    drawn = draw('pass', 30);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const redactDrawn = async (every: number, name: string, more: Partial<VideoJob> = {}) => {
    const { file, frames } = drawn;
    const view = new RedactView(frames[0]!.parsing.labels, FILL);
    const parse = truthOf(frames, every);
    return convertVideo(await job(file, at(name), { view, every, parse, ...more }));
  };

  it('hides the faces in every frame, and leaves all else as it was', async () => {
    const summary = await redactDrawn(1, 'redacted.mp4', { boxes: at('redacted.csv') });
    const { file, frames } = drawn;
    assert.deepEqual(
      [summary.frames, summary.parsed, summary.failed, summary.black, summary.persons],
      [30, 30, 0, 0, 2],
    );
    assert.deepEqual(shownFaces(at('redacted.mp4'), frames), frames.map(() => 0)); // prettier-ignore
    assert.deepEqual(timesOf(at('redacted.mp4')), timesOf(file));
    assert.equal(soundOf(at('redacted.mp4')), soundOf(file));
    assert.deepEqual(readdirSync(folder).filter((name) => /partial|lock/.test(name)), []); // prettier-ignore
    // Where nobody is, colours are those of the source.
    const [before, after] = [pixelsOf(file), pixelsOf(at('redacted.mp4'))];
    const { width } = frames[0]!.parsing;
    let difference = 0;
    for (let p = 0; p < 3 * width * 20; p++) difference += Math.abs(before[p]! - after[p]!);
    assert.ok(difference / (3 * width * 20) < 4, `${difference}`);
    const table = readFileSync(at('redacted.csv'), 'utf8').trimEnd().split('\r\n');
    const people = frames.reduce((sum, { parsing }) => sum + parsing.persons.length, 0);
    assert.ok(table.length > people, `${table.length}`);
    assert.match(table[0]!, /^frame,time,person,score,x,y,width,height,parsed,hidden,/);
  });

  it('hides them between parsed frames, too', async () => {
    const summary = await redactDrawn(3, 'third.mp4');
    assert.deepEqual([summary.frames, summary.parsed], [30, 11]);
    const shown = shownFaces(at('third.mp4'), drawn.frames);
    const mean = shown.reduce((sum, share) => sum + share, 0) / shown.length;
    // They walk 0.6 s between two parsed frames, and one comes in at the edge.
    assert.ok(mean < 0.03, shown.map((share) => share.toFixed(2)).join(' '));
  });

  it('tells nothing of the file but the language, unless it is asked to', async () => {
    const tagsOf = (name: string): string =>
      probe(at(name), '-show_entries', 'format_tags=title,location:stream_tags=language');
    await redactDrawn(29, 'plain.mp4');
    assert.doesNotMatch(tagsOf('plain.mp4'), /secret|48/);
    assert.match(tagsOf('plain.mp4'), /deu/);
    await redactDrawn(29, 'telling.mp4', { keepsMetadata: true });
    assert.match(tagsOf('telling.mp4'), /A secret/);
    await redactDrawn(29, 'silent.mp4', { keepsAudio: false });
    assert.equal(probe(at('silent.mp4'), '-select_streams', 'a', '-show_entries', 'stream=index'), '');
  });

  it('is black where a frame cannot be parsed, and says so', async () => {
    const { frames } = drawn;
    const truth = truthOf(frames, 3);
    let parsed = 0;
    const notes: string[] = [];
    const summary = await redactDrawn(3, 'black.mp4', {
      parse: (image) => {
        const answer = truth(image);
        if (++parsed !== 3) return answer;
        return Promise.reject(new M2fpError('M2FP_ENGINE_CRASHED', 'The process ended.'));
      },
      onNote: (line) => notes.push(line),
    });
    assert.deepEqual([summary.failed, summary.black], [1, 5]);
    assert.deepEqual(notes, ['Frame 6: M2FP_ENGINE_CRASHED: The process ended.']);
    const pixels = pixelsOf(at('black.mp4'));
    const size = pixels.length / frames.length;
    const isBlack = frames.map((_, i) =>
      pixels.subarray(i * size, (i + 1) * size).every((value) => value < 8),
    );
    assert.deepEqual(isBlack.flatMap((black, i) => (black ? [i] : [])), [4, 5, 6, 7, 8]); // prettier-ignore
  });

  it('does not come to be where nothing can be parsed, or the engine fails', async () => {
    for (const code of ['M2FP_ENGINE_CRASHED', 'M2FP_MODEL_INVALID'] as const) {
      const parse = () => Promise.reject(new M2fpError(code, 'No.'));
      await assert.rejects(redactDrawn(5, 'none.mp4', { parse, boxes: at('none.csv') }), { code });
    }
    assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith('none')), []); // prettier-ignore
    assert.deepEqual(ownFfmpegs(), []);
  });

  it('keeps times that are not even, a late beginning, and the way that it is turned', async () => {
    const source = [
      '-f',
      'lavfi',
      '-i',
      'testsrc=s=320x240:r=30000/1001:d=2',
      '-f',
      'lavfi',
      '-i',
      'sine=d=2',
    ];
    const uneven = ['-vf', "settb=1/90000,setpts='PTS+0.4/TB+floor(random(1)*1500)'", '-vsync', 'passthrough', '-enc_time_base', '1:90000', '-video_track_timescale', '90000']; // prettier-ignore
    ffmpeg(...source, ...uneven, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', at('uneven.mp4'));
    ffmpeg('-i', at('uneven.mp4'), '-c', 'copy', '-metadata:s:v', 'rotate=90', at('turned.mp4'));
    await convertVideo(await job(at('turned.mp4'), at('upright.mp4'), { every: 20 }));
    assert.deepEqual(timesOf(at('upright.mp4')), timesOf(at('turned.mp4')));
    assert.equal(timesOf(at('upright.mp4'))[0], '0.400000');
    assert.equal(soundOf(at('upright.mp4')), soundOf(at('turned.mp4')));
    assert.equal(sizeOf(at('upright.mp4')), '240,320');
    const [before, after] = [pixelsOf(at('turned.mp4')), pixelsOf(at('upright.mp4'))];
    const difference = before.reduce((sum, value, i) => sum + Math.abs(value - after[i]!), 0) / before.length;
    assert.ok(difference < 6, `${difference}`);
  });

  /** Seconds from the first sound to the first picture. */
  const lagOf = (file: string): number => {
    const first = (kind: string): number =>
      Number(/[\d.]+/.exec(probe(file, '-v', 'quiet', '-select_streams', kind, '-show_entries', 'frame=pts_time', '-read_intervals', '%+5'))![0]); // prettier-ignore
    return first('V:0') - first('a:0');
  };

  it('keeps sound and picture together where a stream of MPEG begins with one of them', async () => {
    ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=160x120:r=25:d=4', '-f', 'lavfi', '-i', 'sine=d=4', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-pix_fmt', 'yuv420p', '-c:a', 'aac', at('sync.mp4')); // prettier-ignore
    const both = ['-map', '0:v', '-map', '1:a', '-c', 'copy'];
    const [now, later] = [
      ['-i', at('sync.mp4')],
      ['-itsoffset', '0.5', '-i', at('sync.mp4')],
    ] as const;
    ffmpeg(...later, ...now, ...both, at('picture-late.ts'));
    ffmpeg(...now, ...later, ...both, at('sound-late.ts'));
    ffmpeg(...later, ...now, ...both, '-c:v', 'mpeg2video', '-vsync', 'passthrough', '-c:a', 'mp2', '-f', 'mpeg', at('picture-late.mpg')); // prettier-ignore
    // From the middle of a picture that others hang on.
    const whole = readFileSync(at('picture-late.ts'));
    writeFileSync(at('cut.ts'), whole.subarray(188 * Math.floor(whole.length / 188 / 3)));
    for (const name of ['picture-late.ts', 'sound-late.ts', 'picture-late.mpg', 'cut.ts']) {
      await convertVideo(await job(at(name), at(`${name}.mp4`), { every: 50 }));
      const [before, after] = [lagOf(at(name)), lagOf(at(`${name}.mp4`))];
      assert.ok(Math.abs(before) > 0.3, `${name}: ${before}`);
      assert.ok(Math.abs(after - before) < 0.03, `${name}: ${before} becomes ${after}`);
    }
  });

  it('encodes sound once more that an older ffmpeg will not have in MP4', async () => {
    ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=64x48:d=1:r=5', '-f', 'lavfi', '-i', 'sine=d=1', '-c:a', 'flac', at('flac.mkv')); // prettier-ignore
    const notes: string[] = [];
    await convertVideo(await job(at('flac.mkv'), at('flac.mp4'), { onNote: (line) => notes.push(line) }));
    assert.match(probe(at('flac.mp4'), '-show_entries', 'stream=codec_name'), /h264\s+aac/);
    assert.deepEqual(notes, ['flac becomes aac: MP4 cannot hold it as it is']);
  });

  it('has nothing to say against a rate that is not steady', async () => {
    const uneven = ['-vf', "settb=1/90000,setpts='(N*N*0.004+N*0.013)/TB'", '-vsync', 'passthrough', '-enc_time_base', '1:90000', '-video_track_timescale', '90000']; // prettier-ignore
    ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=64x48:r=25:d=2', ...uneven, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', at('slower.mp4')); // prettier-ignore
    const notes: string[] = [];
    await convertVideo(await job(at('slower.mp4'), at('steady.mp4'), { onNote: (line) => notes.push(line) }));
    assert.deepEqual(notes, []);
    assert.deepEqual(timesOf(at('steady.mp4')), timesOf(at('slower.mp4')));
  });

  it('joins the halves of frames, also where only the frames tell of them', async () => {
    // A bar that is elsewhere in each half: lines then differ from both lines beside them.
    const halves = ['-f', 'lavfi', '-i', 'color=black:s=320x240:r=50:d=1', '-f', 'lavfi', '-i', 'color=white:s=40x240:r=50:d=1', '-filter_complex', 'overlay=x=8*n,tinterlace=interleave_top', '-flags', '+ilme+ildct', '-pix_fmt', 'yuv420p']; // prettier-ignore
    ffmpeg(...halves, '-c:v', 'mpeg4', '-q:v', '2', at('halves.avi'));
    ffmpeg(...halves, '-c:v', 'libx264', '-crf', '10', at('halves.mp4'));
    const combed = (file: string): number => {
      const pixels = pixelsOf(file);
      const row = 3 * 320;
      let count = 0;
      for (let p = row; p < pixels.length - row; p++) {
        const [above, own, below] = [pixels[p - row]!, pixels[p]!, pixels[p + row]!];
        if ((own > above + 100 && own > below + 100) || (own < above - 100 && own < below - 100)) count++;
      }
      return count / pixels.length;
    };
    for (const name of ['halves.avi', 'halves.mp4']) {
      await convertVideo(await job(at(name), at(`${name}-whole.mp4`)));
      assert.ok(combed(at(name)) > 0.02, `${name}: ${combed(at(name))}`);
      assert.ok(combed(at(`${name}-whole.mp4`)) < 0.002, `${name}: ${combed(at(`${name}-whole.mp4`))}`);
      assert.equal(timesOf(at(`${name}-whole.mp4`)).length, timesOf(at(name)).length);
    }
  });

  it('says so where frames change their size', async () => {
    for (const [name, size] of [
      ['small', '160x120'],
      ['wide', '200x80'],
    ] as const) {
      ffmpeg('-f', 'lavfi', '-i', `testsrc=s=${size}:r=25:d=1`, '-c:v', 'libx264', '-pix_fmt', 'yuv420p', at(`${name}.ts`)); // prettier-ignore
    }
    writeFileSync(at('sizes.ts'), Buffer.concat([readFileSync(at('small.ts')), readFileSync(at('wide.ts'))]));
    const notes: string[] = [];
    await convertVideo(await job(at('sizes.ts'), at('sizes.mp4'), { every: 10, onNote: (line) => notes.push(line) })); // prettier-ignore
    assert.match(notes.join('\n'), /change their size \(160 x 120, 200 x 80\)/);
    assert.equal(sizeOf(at('sizes.mp4')), '160,120');
  });

  it('is laid on white where it is transparent, and becomes even', async () => {
    ffmpeg(
      '-f',
      'lavfi',
      '-i',
      'color=red@0.0:s=63x41:d=1:r=5,format=argb',
      '-c:v',
      'qtrle',
      at('clear.mov'),
    );
    const notes: string[] = [];
    await convertVideo(await job(at('clear.mov'), at('white.mp4'), { onNote: (line) => notes.push(line) }));
    assert.equal(sizeOf(at('white.mp4')), '64,42');
    assert.match(notes.join(), /64 x 42/);
    assert.ok(pixelsOf(at('white.mp4')).every((value) => value > 250));
    await convertVideo(await job(at('clear.mov'), at('white.webm')));
    assert.equal(sizeOf(at('white.webm')), '63,41');
  });

  it('takes sound, subtitles and chapters into each kind of file', async () => {
    writeFileSync(at('words.srt'), '1\n00:00:00,000 --> 00:00:01,000\nHello\n');
    writeFileSync(
      at('chapters.txt'),
      ';FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=One\n',
    );
    ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=64x48:d=1:r=5', '-f', 'lavfi', '-i', 'sine=d=1', '-i', at('words.srt'), '-i', at('chapters.txt'), '-map', '0', '-map', '1', '-map', '2', '-map_chapters', '3', '-c:a', 'pcm_s16le', '-c:s', 'srt', at('all.mkv')); // prettier-ignore
    for (const [name, codecs] of [
      ['all.mp4', 'h264 aac mov_text'],
      ['all.mov', 'h264 pcm_s16le mov_text'],
      ['all-2.mkv', 'h264 pcm_s16le subrip'],
      ['all.webm', 'vp9 opus webvtt'],
    ] as const) {
      await convertVideo(await job(at('all.mkv'), at(name)));
      const found = probe(at(name), '-show_entries', 'stream=codec_name').split('\n').filter((codec) => codec !== 'bin_data'); // prettier-ignore
      assert.equal(found.join(' '), codecs, name);
      assert.match(probe(at(name), '-show_chapters'), /One|0\.500000/, name);
    }
  });

  it('keeps Opus where it is beside the frames, video after video', async () => {
    ffmpeg('-f', 'lavfi', '-i', 'testsrc=s=64x48:d=1:r=5', '-f', 'lavfi', '-i', 'sine=d=1', '-c:v', 'libx264', '-c:a', 'libopus', at('opus.mp4')); // prettier-ignore
    const first = (file: string, kind: 'v' | 'a'): number =>
      Number(/-?[\d.]+/.exec(probe(at(file), '-select_streams', kind, '-show_entries', 'packet=pts_time'))![0]); // prettier-ignore
    const between = (file: string): number => first(file, 'v') - first(file, 'a');
    for (const [from, to] of [
      ['opus.mp4', 'opus-1.webm'],
      ['opus-1.webm', 'opus-2.mkv'],
      ['opus-2.mkv', 'opus-3.webm'],
      ['opus-3.webm', 'opus-4.mp4'],
    ] as const) {
      await convertVideo(await job(at(from), at(to)));
      // Matroska knows milliseconds.
      assert.ok(Math.abs(between(to) - between('opus.mp4')) <= 0.001, `${to}: ${between(to)}`);
      assert.equal(soundOf(at(to)), soundOf(at('opus.mp4')), to);
    }
    assert.deepEqual(timesOf(at('opus-3.webm')), timesOf(at('opus-2.mkv')));
    // What libopus puts in front is not heard: both begin together.
    ffmpeg('-i', at('opus.mp4'), '-c:v', 'copy', '-c:a', 'pcm_s16le', at('pcm.mov'));
    await convertVideo(await job(at('pcm.mov'), at('pcm.webm')));
    assert.ok(Math.abs(between('pcm.webm') - 312 / 48_000) <= 0.001, `${between('pcm.webm')}`);
  });

  it('does as a command: a summary, progress, and a table', async () => {
    const boxes = at('people.csv');
    const { code, out, err } = await m2fp(['video', drawn.file, '--out', at('command.mp4'), '--every', '10', '--view', 'boxes', '--boxes', boxes, ...QUICK]); // prettier-ignore
    assert.equal(code, 0, err);
    const summary = JSON.parse(out) as Record<string, unknown>;
    assert.deepEqual(
      ['file', 'out', 'boxes', 'view', 'width', 'height', 'frames', 'parsed', 'failed', 'encoder'].map((name) => summary[name]), // prettier-ignore
      [drawn.file, at('command.mp4'), boxes, 'boxes', 512, 288, 30, 4, 0, 'libx264'],
    );
    assert.match(err, /^Drawing: 0 % \(0 of 30\)\n/);
    assert.match(err, /Drawing: 100 % \(30 of 30/);
    assert.equal(timesOf(at('command.mp4')).length, 30);
    assert.ok(existsSync(boxes));
  });

  it('leaves nothing behind when it is interrupted', async () => {
    ffmpeg(
      '-f',
      'lavfi',
      '-i',
      'testsrc=s=640x480:d=60:r=25',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      at('long.mp4'),
    );
    writeFileSync(at('stopped.mp4'), 'what was there before');
    const running = start([
      'video',
      at('long.mp4'),
      '--out',
      at('stopped.mp4'),
      '--boxes',
      at('stopped.csv'),
      ...QUICK,
    ]);
    await running.says('Redacting: 0 %');
    const children = childrenOf(running.child.pid!);
    running.child.kill('SIGINT');
    const { code, err } = await running.ended;
    assert.equal(code, 130, err);
    assert.match(err, /M2FP_CANCELLED: Interrupted\. [^\n]*stopped\.mp4 is as it was\n$/);
    assert.ok(children.length > 0);
    assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith('stopped')), ['stopped.mp4']); // prettier-ignore
    assert.equal(readFileSync(at('stopped.mp4'), 'utf8'), 'what was there before');
    const left = execFileSync('ps', ['-A', '-o', 'pid='], { encoding: 'utf8' }).split(/\s+/).map(Number);
    assert.deepEqual(children.filter((pid) => left.includes(pid)), []); // prettier-ignore
  });

  it('leaves nothing behind either when it is interrupted once more while it ends', async () => {
    const env = interruptedAt('Redacting: 50 %', 'SIGINT', folder, 2);
    const args = ['video', drawn.file, '--out', at('twice.mp4'), '--boxes', at('twice.csv'), '--every', '5'];
    const { code, err } = await m2fp([...args, ...QUICK], env);
    assert.equal(code, 130, err);
    assert.match(err, /Ended at once/);
    assert.deepEqual(readdirSync(folder).filter((name) => name.startsWith('twice')), []); // prettier-ignore
  });

  it('makes an MPEG-4 video where ffmpeg lacks H.264, and says so', async () => {
    const programs = at('programs');
    mkdirSync(programs);
    const own = requireProgram('ffmpeg', 'ffmpeg');
    const script = `#!/bin/sh\ncase "$*" in *-encoders*) exec ${own} "$@" | grep -v 264;; *) exec ${own} "$@";; esac\n`;
    writeFileSync(join(programs, 'ffmpeg'), script, { mode: 0o755 });
    symlinkSync(requireProgram('ffprobe', 'ffmpeg'), join(programs, 'ffprobe'));
    const notes: string[] = [];
    const found = await findFfmpeg(join(programs, 'ffmpeg'));
    const { encoder } = await redactDrawn(29, 'old.mp4', {
      ffmpeg: found,
      onNote: (line) => notes.push(line),
    });
    assert.equal(encoder, 'mpeg4');
    assert.match(notes.join(), /no libx264: mpeg4/);
    assert.deepEqual(timesOf(at('old.mp4')), timesOf(drawn.file));
  });

  it('says that the disk is full, and leaves nothing of the file', async () => {
    // No file may become larger than 8 KiB.
    const script = `ulimit -f 8; exec "$@"`;
    const limited = join(at('limited'), 'ffmpeg');
    mkdirSync(at('limited'));
    writeFileSync(limited, `#!/bin/sh\ntrap '' XFSZ\nset -- ${requireProgram('ffmpeg', 'ffmpeg')} "$@"\n${script}\n`, { mode: 0o755 }); // prettier-ignore
    symlinkSync(requireProgram('ffprobe', 'ffmpeg'), join(at('limited'), 'ffprobe'));
    const tooLarge = redactDrawn(3, 'large.mp4', { ffmpeg: await findFfmpeg(limited) });
    await assert.rejects(tooLarge, { code: 'M2FP_NOT_KEPT', message: /the disk is full/ });
    assert.ok(!existsSync(at('large.mp4')) && !existsSync(at('large.mp4.partial')));
  });

  it('says that ffmpeg was ended by somebody', async () => {
    const own = requireProgram('ffmpeg', 'ffmpeg');
    mkdirSync(at('killed'));
    symlinkSync(requireProgram('ffprobe', 'ffmpeg'), join(at('killed'), 'ffprobe'));
    for (const [which, code] of [
      ['matroska', 'M2FP_NOT_KEPT'],
      ['framecrc', 'M2FP_UNSUPPORTED_FORMAT'],
    ] as const) {
      const script = `#!/bin/sh\ncase "$*" in *${which}*) kill -9 $$;; *) exec ${own} "$@";; esac\n`;
      writeFileSync(join(at('killed'), 'ffmpeg'), script, { mode: 0o755 });
      const found = await findFfmpeg(join(at('killed'), 'ffmpeg'));
      const ended = redactDrawn(29, 'ended.mp4', { ffmpeg: found });
      await assert.rejects(ended, { code, message: /ended by SIGKILL/ });
    }
  });

  it('says what is wrong with a file', async () => {
    ffmpeg('-f', 'lavfi', '-i', 'sine=d=1', at('sound.m4a'));
    writeFileSync(at('text.mp4'), 'no video');
    const video = (file: string, out = 'x.mp4'): string[] => ['video', file, '--out', at(out), ...QUICK];
    assert.match(await failure('M2FP_NO_IMAGE', ...video(at('sound.m4a'))), /has no video, only audio/);
    await failure('M2FP_UNSUPPORTED_FORMAT', ...video(at('text.mp4')));
    await failure('M2FP_NO_IMAGE', ...video(at('gone.mp4')));
    await failure('M2FP_NO_IMAGE', ...video('/dev/null'));
    assert.match(await failure('M2FP_BAD_OPTION', ...video(drawn.file), '--options', '{"redact": {"labels": "Nose"}}'), /"labels"/); // prettier-ignore
  });
});
