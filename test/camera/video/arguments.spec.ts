import assert from 'node:assert/strict';
import { callOf, readInput, type VideoOptions } from '../../../src/camera/video/arguments.ts';

const OPTIONS: VideoOptions = { rate: undefined, isPaced: false, isLooped: false };

describe('what ffmpeg is told', () => {
  const call = (address: string, options: Partial<VideoOptions> = {}, major: number | undefined = 7) =>
    callOf(readInput(address, { user: 'anna', password: "it's /@:" }), { ...OPTIONS, ...options }, major);

  it('has no login among the arguments, which everybody sees', () => {
    const { args, input } = call('rtsp://10.0.0.5:554/h264?token={password}');
    assert.doesNotMatch(args.join(' '), /anna|it's|rtsp:\/\//);
    assert.equal(
      input,
      "ffconcat version 1.0\nfile 'rtsp://anna:it'\\''s%20%2F%40%3A@10.0.0.5:554/h264?token=it'\\''s%20%2F%40%3A'\n" +
        'option rtsp_transport tcp\n',
    );
  });

  it('leaves a login alone that stands in the address', () => {
    assert.match(call('rtsp://bob:x@10.0.0.5/h264').input, /rtsp:\/\/bob:x@10\.0\.0\.5\/h264'/);
  });

  it('gives a token to http and https, unseen and in a line of its own', () => {
    const withToken = (address: string, token: string, major = 7) =>
      callOf(readInput(address, { token }), OPTIONS, major);
    const { args, input } = withToken('https://10.0.0.5/x.m3u8', " to'k ");
    assert.doesNotMatch(args.join(' '), /Bearer|to'k/);
    assert.match(input, /\noption headers 'Authorization: Bearer to'\\''k'\n$/);
    assert.throws(() => withToken('http://10.0.0.5/x', 'tok', 4), { reason: 'ffmpeg-failed' });
    for (const [address, token] of [
      ['http://10.0.0.5/x', "a\nfile '/etc/passwd'"],
      ['rtsp://10.0.0.5/x', 'tok'],
    ] as const) {
      assert.throws(() => withToken(address, token), { code: 'M2FP_BAD_OPTION' });
    }
    assert.doesNotMatch(withToken('rtsp://10.0.0.5/{token}', 'tok').input, /Bearer/);
    assert.equal(withToken('/videos/a.mp4', 'tok').input, '');
  });

  it('asks for RTSP over TCP from old versions, too', () => {
    assert.match(call('rtsp://10.0.0.5/h264', {}, 4).input, /h264\?tcp'\n$/);
    assert.match(call('rtsp://10.0.0.5/cam?channel=1', {}, 4).input, /channel=1&tcp'\n$/);
    assert.match(call('rtsp://10.0.0.5/h264', {}, undefined).input, /option rtsp_transport tcp\n$/);
  });

  it('lets no stream read files of this machine, nor an address bring lines of its own', () => {
    const { args, input } = call("https://10.0.0.5/x.m3u8'\nfile '/etc/passwd");
    assert.doesNotMatch(args[args.indexOf('-protocol_whitelist') + 1]!, /file|concat|subfile/);
    assert.equal(input.split('\n').length, 3);
    for (const address of ['file:///etc/passwd', 'concat://x', 'data://x']) {
      assert.throws(() => readInput(address, {}), { code: 'M2FP_BAD_OPTION' });
    }
  });

  it('takes everything else for a file, whatever it is called', () => {
    for (const path of ['-version', '/videos/a b.mp4', 'C:\\videos\\door.mp4', 'pipe:0']) {
      const { args, input } = call(path);
      assert.equal(args[args.indexOf('-i') + 1], `file:${path}`);
      assert.equal(input, '');
    }
    assert.throws(() => readInput('  ', {}), { code: 'M2FP_BAD_OPTION' });
  });

  it('says how often, at which speed and whether again', () => {
    const text = (address: string, options: Partial<VideoOptions>): string =>
      call(address, options).args.join(' ');
    assert.match(text('a.mp4', { rate: 0.5 }), /-vf fps=0\.5 /);
    assert.doesNotMatch(text('a.mp4', {}), /fps=|-re|-stream_loop/);
    assert.match(text('a.mp4', { isPaced: true, isLooped: true }), /-re -stream_loop -1 -i file:a\.mp4/);
    assert.match(text('rtsp://10.0.0.5/h264', {}), /-vf fps=10 /);
  });
});
