// The words of lvsj explain: what each means, and which are refused.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseQuestion, type QuestionOptions } from './explain-question.ts';

const asked = (words: string, options: QuestionOptions = {}) =>
  parseQuestion(words.split(' '), options);

describe('the words of lvsj explain', () => {
  test('may be two addresses: then it is HTTPS from a port that clients choose', () => {
    assert.deepEqual(asked('10.0.0.5 203.0.113.9'), {
      packet: {
        ...{ family: 4, protocol: 6, client: '10.0.0.5', clientPort: 40000 },
        ...{ server: '203.0.113.9', serverPort: 443, link: undefined, dscp: 0 },
      },
      fwmark: undefined,
    });
  });

  test('may be names, as in the configuration', () => {
    const { packet, fwmark } = asked('fd00:0::5 2001:DB8::1 udp 5000 domain', {
      ...{ dscp: 'ef', fwmark: '0x10', link: 'eth0' },
    });
    assert.deepEqual(packet, {
      ...{ family: 6, protocol: 17, client: 'fd00::5', clientPort: 5000, server: '2001:db8::1' },
      ...{ serverPort: 53, link: 'eth0', dscp: 46 },
    });
    assert.equal(fwmark, 16);
  });

  test('tell an echo by its identifier, and icmp means that of the family', () => {
    const ends = ({ packet }: ReturnType<typeof asked>) => [
      ...[packet.protocol, packet.clientPort, packet.serverPort],
    ];
    assert.deepEqual(ends(asked('10.0.0.5 203.0.113.9 icmp 77')), [1, 77, 0]);
    assert.deepEqual(ends(asked('fd00::5 2001:db8::1 icmp')), [58, 1, 0]);
    assert.deepEqual(ends(asked('10.0.0.5 203.0.113.9 47')), [47, 0, 0]);
  });

  for (const [words, options, reason] of [
    ['10.0.0 203.0.113.9', {}, /"10.0.0" is not an address/],
    ['10.0.0.5 www.example.org', {}, /"www.example.org" is not an address/],
    ['10.0.0.5 2001:db8::1', {}, /are of different families/],
    ['10.0.0.5 203.0.113.9 tpc', {}, /protocol "tpc" is no number from 0 to 255/],
    ['10.0.0.5 203.0.113.9 tcp 65536', {}, /port "65536" is no number from 0 to 65535/],
    ['10.0.0.5 203.0.113.9 gre 5', {}, /protocol 47 has no ports/],
    ['10.0.0.5 203.0.113.9 icmp 5 6', {}, /protocol 1 has no ports/],
    ['10.0.0.5 203.0.113.9', { dscp: '64' }, /dscp "64" is no number from 0 to 63/],
    ['10.0.0.5 203.0.113.9', { fwmark: 'web' }, /fwmark "web" is no number from 0 to 4294967295;/],
  ] as [string, QuestionOptions, RegExp][])
    test(`refused: ${words} ${JSON.stringify(options)}`, () =>
      assert.throws(() => asked(words, options), {
        name: 'UserError',
        status: 2,
        message: reason,
      }));
});
