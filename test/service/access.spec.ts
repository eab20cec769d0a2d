import assert from 'node:assert/strict';
import { addressOf, ApiKeys, ClientLimits } from '../../src/service/access.ts';

describe('API keys', () => {
  it('are not asked for where there are none', () => {
    for (const none of [undefined, '', ' \n']) assert.equal(new ApiKeys(none).check({}), undefined);
  });

  const keys = new ApiKeys('first, second\n drittes-ü');
  it('are any of several, in either header, and tell clients apart', () => {
    const names = [
      keys.check({ authorization: 'Bearer first' }),
      keys.check({ authorization: 'bearer  second ' }),
      keys.check({ 'x-api-key': 'first' }),
      keys.check({ 'x-api-key': 'drittes-ü' }),
    ];
    assert.equal(names[0], names[2]);
    assert.equal(new Set(names).size, 3);
    assert.ok(!names.includes('first'), 'the key itself is kept nowhere');
  });

  const wrong: Record<string, string>[] = [
    {},
    { authorization: '' },
    { authorization: 'Basic first' },
    { authorization: 'Bearer ' },
    { authorization: 'Bearer firs' },
    { authorization: 'Bearer first, second' },
    { 'x-api-key': ' ' },
    { 'x-api-key': 'First' },
  ];
  for (const headers of wrong) {
    it(`are wanted: ${JSON.stringify(headers)}`, () => {
      assert.throws(() => keys.check(headers), { code: 'M2FP_UNAUTHORIZED', statusCode: 401 });
    });
  }
});

describe('the address of a client', () => {
  const cases: [
    remote: string | undefined,
    forwarded: string | undefined,
    proxies: number,
    expected: string,
  ][] = [
    ['10.0.0.1', undefined, 0, '10.0.0.1'],
    ['10.0.0.1', '1.2.3.4', 0, '10.0.0.1'],
    ['::ffff:10.0.0.1', undefined, 0, '10.0.0.1'],
    ['10.0.0.1', '6.6.6.6, 1.2.3.4', 1, '1.2.3.4'],
    ['10.0.0.1', '6.6.6.6, 1.2.3.4, 5.6.7.8', 2, '1.2.3.4'],
    ['10.0.0.1', undefined, 1, '10.0.0.1'],
    ['10.0.0.1', '1.2.3.4:5678', 1, '1.2.3.4'],
    ['10.0.0.1', '[2001:db8:1:2:3::4]:443', 1, '2001:db8:1:2'],
    ['2001:DB8::1', undefined, 0, '2001:db8:0:0'],
    ['fe80::1%eth0', undefined, 0, 'fe80:0:0:0'],
    [undefined, undefined, 0, ''],
  ];
  for (const [remote, forwarded, proxies, expected] of cases) {
    it(`is ${expected} for ${remote}, ${forwarded} behind ${proxies}`, () => {
      assert.equal(addressOf(remote, forwarded, proxies), expected);
    });
  }
});

describe('the limits of a client', () => {
  let now = 0;
  const clock = { now: () => now, after: () => ({ cancel() {} }) };
  const limits = (concurrent: number | null, perMinute: number | null) =>
    new ClientLimits({ concurrent, perMinute }, clock);
  const refusal = (enter: () => unknown): { code: string; retryAfter: number } | undefined => {
    try {
      enter();
      return undefined;
    } catch (error) {
      return error as { code: string; retryAfter: number };
    }
  };

  it('are none where none are set', () => {
    const none = limits(null, null);
    for (let i = 0; i < 10_000; i++) none.enter('a');
  });

  it('bound what one client has at a time, and no other', () => {
    const two = limits(2, null);
    const leave = two.enter('a');
    two.enter('a');
    assert.equal(refusal(() => two.enter('a'))?.code, 'M2FP_BUSY');
    two.enter('b');
    leave();
    leave();
    two.enter('a');
    assert.equal(refusal(() => two.enter('a'))?.retryAfter, 1);
  });

  it('bound what one client sends in a minute, and say when it may go on', () => {
    const six = limits(null, 6);
    for (let i = 0; i < 6; i++) six.enter('a')();
    assert.deepEqual(
      [refusal(() => six.enter('a'))?.code, refusal(() => six.enter('a'))?.retryAfter],
      ['M2FP_BUSY', 10],
    );
    now += 4000;
    assert.equal(refusal(() => six.enter('a'))?.retryAfter, 6);
    now += 6000;
    six.enter('a')();
    assert.equal(refusal(() => six.enter('a'))?.retryAfter, 10);
    now += 3_600_000;
    for (let i = 0; i < 6; i++) six.enter('a')();
    assert.ok(
      refusal(() => six.enter('a')),
      'no more than a minute is saved up',
    );
  });

  it('remember clients up to a number, first of all those that wait for an answer', () => {
    const one = limits(1, null);
    one.enter('waits');
    for (let i = 0; i < 12_000; i++) one.enter(`${i}`)();
    assert.ok(refusal(() => one.enter('waits')));
  });
});
