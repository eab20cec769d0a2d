/** Video through Debian's ffmpeg: files, and an RTSP server of GStreamer. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { createSource } from '../../../src/camera/index.ts';
import { VideoSource, type VideoSourceOptions } from '../../../src/camera/video/video.ts';
import { findFfmpeg } from '../../../src/ffmpeg.ts';
import { CameraServer, sendParts } from '../../camera/support/camera-server.ts';
import { jpegOf } from '../../camera/support/jpegs.ts';
import { childrenOf } from '../../support/processes.ts';
import { requireProgram } from '../../support/programs.ts';

const PASSWORD = 'p@ss w/rd';
const LIMITS = { timeout: 10_000, maxBytes: 2 ** 22 };
const PYTHON = '/usr/bin/python3';

const folder = mkdtempSync(join(tmpdir(), 'm2fp-video-'));
const film = join(folder, "it's a film.mp4");

/** What `ps` shows everybody of the ffmpegs that this process started. */
function visible(): string {
  const own = new Set(childrenOf(process.pid));
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => own.has(Number.parseInt(line)) && line.includes('ffmpeg')).join('\n');
}

const DEFAULTS = {
  credentials: {},
  limits: LIMITS,
  ffmpeg: '',
  rate: undefined,
  isPaced: false,
  isLooped: false,
};

function source(address: string, more: Partial<VideoSourceOptions> = {}): VideoSource {
  return new VideoSource({ ...DEFAULTS, address, ...more });
}

async function take(
  from: VideoSource,
  count = Infinity,
  signal = new AbortController().signal,
): Promise<Buffer[]> {
  const taken: Buffer[] = [];
  for await (const image of from.open(signal)) {
    taken.push(image);
    if (taken.length >= count) break;
  }
  return taken;
}

before(() => {
  const ffmpeg = requireProgram('ffmpeg', 'ffmpeg');
  // 3 s, 20 pictures a second.
  const drawing = ['-f', 'lavfi', '-i', 'testsrc=duration=3:size=320x240:rate=20'];
  execFileSync(ffmpeg, ['-loglevel', 'error', ...drawing, '-c:v', 'mpeg4', film]);
});
after(() => rmSync(folder, { recursive: true }));
afterEach(() => assert.equal(visible(), '', 'no ffmpeg is left'));

describe('ffmpeg', () => {
  it('tells its version', async () => {
    const { path, version, major } = await findFfmpeg();
    assert.equal(path, 'ffmpeg');
    assert.ok(major === undefined || major >= 4, version);
  });

  it('is told how to install where it is not there, or is something else', async () => {
    await assert.rejects(
      findFfmpeg('/nowhere/ffmpeg'),
      /apt-get install ffmpeg.*apk add ffmpeg.*brew.*winget/,
    );
    const other = join(folder, 'other');
    writeFileSync(other, '#!/bin/sh\necho hello\n');
    chmodSync(other, 0o755);
    await assert.rejects(findFfmpeg(other), /is no ffmpeg/);
    await assert.rejects(take(source(film, { ffmpeg: '/nowhere/ffmpeg' })), { reason: 'ffmpeg-missing' });
  });
});

describe('a video file', () => {
  it('gives all its pictures, and ends', async () => {
    const images = await take(source(film));
    assert.equal(images.length, 60);
    const { format, width, height } = await sharp(images[59]).metadata();
    assert.deepEqual({ format, width, height }, { format: 'jpeg', width: 320, height: 240 });
  });

  it('gives as many a second as are wanted', async () => {
    assert.equal((await take(source(film, { rate: 2 }))).length, 6);
  });

  it('waits for a slow taker, and loses none', async () => {
    let count = 0;
    for await (const image of source(film).open(new AbortController().signal)) {
      await sharp(image).stats();
      count++;
    }
    assert.equal(count, 60);
  });

  it('begins again at its end where it shall', async () => {
    assert.equal((await take(source(film, { isLooped: true }), 130)).length, 130);
  });

  it('says what is wrong with a file', async () => {
    await assert.rejects(take(source(join(folder, 'missing.mp4'))), { reason: 'refused' });
    const text = join(folder, 'text.mp4');
    writeFileSync(text, 'no film');
    await assert.rejects(take(source(text)), { reason: 'no-picture' });
  });

  it('ends with its signal', async () => {
    const abort = new AbortController();
    const frames = source(film, { isPaced: true }).open(abort.signal);
    await frames.next();
    abort.abort(new Error('stopped'));
    await assert.rejects(async () => {
      for (;;) await frames.next();
    }, /stopped/);
  });
});

describe('a script around ffmpeg', () => {
  const script = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n${text}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  /** What runs of it, wherever it hangs. */
  const running = (mark: string): string[] =>
    execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(mark) && !line.startsWith('ps '));
  const limits = { ...LIMITS, timeout: 1500 };
  const version = 'case "$*" in *-version*) exec ffmpeg "$@";; esac';

  it('is given up with all that it has started when no picture comes', async () => {
    const ffmpeg = script('silent', `${version}\nsleep 4321\necho`);
    await assert.rejects(take(source(film, { ffmpeg, limits })), { reason: 'timeout' });
    assert.deepEqual(running('sleep 4321'), []);
  });

  it('ends with its signal, and so does the ffmpeg in it', async () => {
    const ffmpeg = script('around', 'ffmpeg "$@"\necho');
    const abort = new AbortController();
    const frames = source(film, { ffmpeg, isPaced: true, isLooped: true }).open(abort.signal);
    await frames.next();
    abort.abort(new Error('stopped'));
    await assert.rejects(async () => {
      for (;;) await frames.next();
    }, /stopped/);
    assert.deepEqual(running(film), []);
  });

  it('holds nobody up with what it leaves behind, in its group or out of it', async () => {
    for (const [name, left] of [
      ['behind', 'sleep 4322 &'],
      ['away', 'setsid sleep 4323 &'],
      ['words', 'setsid sleep 4323 >/dev/null &'],
    ] as const) {
      const ffmpeg = script(name, `${left}\nffmpeg "$@"`);
      assert.equal((await take(source(film, { ffmpeg, rate: 2, limits: LIMITS }))).length, 6);
    }
    assert.deepEqual(running('sleep 4322'), []);
    for (const [pid] of execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.endsWith(' sleep 4323'))
      .map((line) => [Number.parseInt(line)]))
      process.kill(pid!);
  });
});

describe('a stream over HTTP', () => {
  it('gets the token, which nobody sees', async () => {
    const server = await new CameraServer().start();
    server.login = { token: 'tok-Secr7t', challenges: () => ['Bearer'] };
    let shown = '';
    const image = await jpegOf(1);
    server.handler = async (_request, response) => {
      shown = visible();
      await sendParts(response, [image, image, image]);
      response.end();
    };
    const streams = (token: string) => source(server.url('/cam'), { credentials: { token } });
    assert.ok((await take(streams('tok-Secr7t'), 1)).length > 0);
    assert.match(shown, /ffmpeg/);
    assert.doesNotMatch(shown, /Secr7t|Bearer/);
    await assert.rejects(take(streams('other')), { reason: 'login' });
    await server.stop();
  });
});

describe('an RTSP stream', () => {
  let server: ChildProcess;

  const start = async (login: string): Promise<string> => {
    const missing =
      'python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good';
    requireProgram('python3', missing);
    server = spawn(PYTHON, [join(import.meta.dirname, 'rtsp-server.py'), login, PASSWORD]);
    let said = '';
    server.stderr!.on('data', (text: Buffer) => (said += text.toString()));
    const [port] = (await Promise.race([
      once(server.stdout!, 'data'),
      once(server, 'exit').then(() => ['0']),
    ])) as [Buffer];
    assert.ok(Number(port) > 0, `sudo apt-get install -y --no-install-recommends ${missing}: ${said}`);
    return `rtsp://127.0.0.1:${Number(port)}/cam`;
  };
  afterEach(async () => {
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  });

  for (const login of ['open', 'basic', 'digest']) {
    it(`gives pictures with the login "${login}", which nobody sees`, async () => {
      const address = await start(login);
      const credentials = login === 'open' ? {} : { user: 'anna', password: PASSWORD };
      const frames = source(address, { credentials }).open(new AbortController().signal);
      for (let count = 0; count < 5; count++) assert.equal((await frames.next()).done, false);
      const shown = visible();
      assert.match(shown, /ffmpeg/);
      assert.doesNotMatch(shown, /anna|p%40ss|p@ss|rtsp:\/\//);
      await frames.return();
    });
  }

  it('says that the login is refused, without telling it', async () => {
    const address = await start('digest');
    const credentials = { user: 'anna', password: 'secret-wrong' };
    await assert.rejects(take(source(address, { credentials })), (error: Error & { reason?: string }) => {
      assert.equal(error.reason, 'login', error.message);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });

  it('tells nothing of user, password and token, wherever the address has them', async () => {
    const credentials = { user: 'plainuser', password: 'Geh@im:S/cret%99' };
    const secrets = /plainuser|Geh|im:S|S.{1,5}cret|Secr7t/;
    for (const address of [
      'rtsp://127.0.0.1:9/user={user}_password={password}_channel=1.sdp',
      'http://127.0.0.1:9/{password}/x',
      'http://127.0.0.1:9/{token}/{user}.m3u8?a={token}',
      `rtsp://plainuser:${credentials.password}@127.0.0.1:9/x`,
      `plainuser:${credentials.password}@127.0.0.1:9/x`,
    ]) {
      // A token has no other place in an address of RTSP.
      const token = address.startsWith('http:') ? { token: 'tok-Secr7t' } : {};
      const made = createSource({
        ...DEFAULTS,
        kind: 'video',
        address,
        credentials: { ...credentials, ...token },
      });
      await assert.rejects(
        made.open(new AbortController().signal).next(),
        ({ message, stack }: Error) => !secrets.test(`${message}${stack}`) && message.includes('(ffmpeg: '),
        address,
      );
    }
    await start('open');
  });

  it('says that the stream has ended, or cannot be reached', async () => {
    const address = await start('open');
    const frames = source(address, { limits: { ...LIMITS, timeout: 4000 } }).open(
      new AbortController().signal,
    );
    await frames.next();
    server.kill('SIGKILL');
    await assert.rejects(
      async () => {
        while (!(await frames.next()).done);
      },
      { code: 'M2FP_CAMERA_OFFLINE' },
    );
    await assert.rejects(take(source(address)), { reason: 'unreachable' });
    await start('open');
  });
});
