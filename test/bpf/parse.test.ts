// Packet formats: what of a packet becomes the key of its connection, and where it may be cut.

import assert from 'node:assert/strict';
import { after, afterEach, describe, test } from 'node:test';
import { addressFromWords } from '../../src/model/address.ts';
import { hooks, openBed, type Verdict } from './bed.ts';
import { assertExact } from './exact.ts';
import { client4, client6, Flow, server4, server6 } from './flow.ts';
import { mac, type Packet, packet, protocol } from './packet.ts';

const bed = openBed();
for (const family of [4, 6] as const) bed.setService({ family, gateways: [[1]] });
after(() => bed.close());
afterEach(() => {
  try {
    assertExact(bed);
  } finally {
    bed.forget();
  }
});

const linkHeader = 14;
const up4 = { src: client4, dst: server4 };
const up6 = { src: client6, dst: server6 };
const tcp = { sport: 4000, dport: 80, flags: 'S' };
const udp = { sport: 4000, dport: 53 };
const sctp = { sport: 4000, dport: 3868, chunks: 'INIT' };

interface KeyCase {
  name: string;
  packet: Packet;
  protocol: number;
  /** Client's and server's. */
  ports: [number, number];
}

const keyCases: KeyCase[] = [
  {
    name: 'TCP behind IPv4 options',
    packet: packet()
      .ipv4({ ...up4, options: 40 })
      .tcp(tcp),
    protocol: protocol.tcp,
    ports: [4000, 80],
  },
  {
    name: 'a fragment header that cuts nothing off (RFC 6946)',
    packet: packet().ipv6(up6).fragment().tcp(tcp),
    protocol: protocol.tcp,
    ports: [4000, 80],
  },
  {
    name: 'IPv6 with no next header',
    packet: packet().ipv6({ ...up6, protocol: protocol.noNext }),
    protocol: protocol.noNext,
    ports: [0, 0],
  },
  {
    name: 'ICMP that is neither echo nor error',
    packet: packet().ipv4(up4).icmp({ type: 13, id: 7 }),
    protocol: protocol.icmp,
    ports: [0, 0],
  },
  ...([4, 6] as const).flatMap((family): KeyCase[] => {
    const ip = family === 4 ? packet().ipv4(up4) : packet().ipv6(up6);
    const icmp = family === 4 ? protocol.icmp : protocol.icmpv6;
    const others = (['gre', 'esp', 'ah'] as const).map((name) => ({
      name: `${name.toUpperCase()} over IPv${family}, by its addresses alone`,
      packet: ip.other(protocol[name], 12),
      protocol: protocol[name],
      ports: [0, 0] as [number, number],
    }));
    return [
      { name: `TCP over IPv${family}`, packet: ip.tcp(tcp), protocol: 6, ports: [4000, 80] },
      { name: `UDP over IPv${family}`, packet: ip.udp(udp), protocol: 17, ports: [4000, 53] },
      { name: `SCTP over IPv${family}`, packet: ip.sctp(sctp), protocol: 132, ports: [4000, 3868] },
      {
        name: `an echo over IPv${family}, by its identifier`,
        packet: ip.ping(family, 'request', 0xbeef),
        protocol: icmp,
        ports: [0xbeef, 0],
      },
      ...others,
    ];
  }),
];

describe('the key of a connection', () => {
  for (const given of keyCases) {
    test(`is made of ${given.name}`, () => {
      assert.equal(bed.run('director', given.packet, 1).verdict, 'NEW');
      const [[key] = assert.fail('no entry')] = bed.connections;
      const v6 = addressFromWords(key.client.word).includes(':');
      assert.deepEqual(
        {
          ...key,
          client: addressFromWords(key.client.word),
          server: addressFromWords(key.server.word),
        },
        {
          client: v6 ? client6 : client4,
          server: v6 ? server6 : server4,
          clientPort: given.ports[0],
          serverPort: given.ports[1],
          protocol: given.protocol,
          persistence: 0,
        },
      );
      assert.equal(bed.run('ingress', given.packet).verdict, 'KNOWN');
    });
  }
});

describe('a reply', () => {
  for (const client of [client4, client6]) {
    for (const name of ['tcp', 'udp', 'sctp', 'icmp'] as const) {
      test(`to ${client} finds its connection of ${name}, and no other's`, () => {
        const flow = new Flow({ client, protocol: name });
        bed.direct(flow.up());
        assert.equal(bed.run('egress', flow.down()).verdict, 'KNOWN');
        const others = [
          new Flow({ client, protocol: name, port: flow.port + 1 }),
          new Flow({ client, protocol: name === 'tcp' ? 'udp' : 'tcp' }),
          new Flow({ client: client === client4 ? '10.0.0.3' : 'fd00::3', protocol: name }),
          new Flow({ client, protocol: name, server: client === client4 ? '203.0.113.8' : '2::1' }),
        ];
        for (const other of others)
          assert.equal(bed.run('egress', other.down()).verdict, 'UNKNOWN');
      });
    }
  }
});

describe('a chain of IPv6 extension headers', () => {
  const kinds = ['hopByHop', 'routing', 'destinationOptions'] as const;
  const chain = (count: number, more = 0): Packet => {
    let ip = packet().ipv6(up6);
    for (let i = 0; i < count; i++) ip = ip.extension(kinds[i % kinds.length]!, more);
    return ip.tcp(tcp);
  };
  const most = 5;

  test(`of up to ${most} leads to the ports behind it`, () => {
    bed.direct(packet().ipv6(up6).tcp(tcp));
    for (let count = 1; count <= most; count++)
      for (const more of [0, 1, 7])
        assert.equal(bed.run('ingress', chain(count, more)).verdict, 'KNOWN', `${count}, ${more}`);
    assert.equal(bed.connections.length, 1);
  });

  test(`of more than ${most} is given up`, () => {
    assert.equal(bed.run('director', chain(most + 1), 1).verdict, 'TRUNCATED');
  });

  test('that leads beyond the packet is cut short', () => {
    const bytes = packet().ipv6(up6).extension('hopByHop').tcp(tcp).bytes;
    bytes[linkHeader + 40 + 1] = 255;
    assert.equal(bed.run('director', bytes, 1).verdict, 'TRUNCATED');
  });
});

/** decides: bytes of headers without which nothing is decided. */
const cuts: { name: string; packet: Packet; ipHeader: number; decides: number }[] = [
  { name: 'TCP', packet: packet().ipv4(up4).tcp(tcp), ipHeader: 20, decides: 20 + 14 },
  { name: 'UDP', packet: packet().ipv4(up4).udp(udp), ipHeader: 20, decides: 20 + 4 },
  { name: 'SCTP', packet: packet().ipv4(up4).sctp(sctp), ipHeader: 20, decides: 20 + 12 + 4 },
  { name: 'SCTP over IPv6', packet: packet().ipv6(up6).sctp(sctp), ipHeader: 40, decides: 40 + 16 },
  {
    name: 'an echo',
    packet: packet().ipv4(up4).ping(4, 'request'),
    ipHeader: 20,
    decides: 20 + 8,
  },
  {
    name: 'TCP behind options',
    packet: packet()
      .ipv4({ ...up4, options: 12 })
      .tcp(tcp),
    ipHeader: 20,
    decides: 20 + 12 + 14,
  },
  { name: 'TCP over IPv6', packet: packet().ipv6(up6).tcp(tcp), ipHeader: 40, decides: 40 + 14 },
  {
    name: 'an echo over IPv6',
    packet: packet().ipv6(up6).ping(6, 'request'),
    ipHeader: 40,
    decides: 40 + 8,
  },
  {
    name: 'UDP behind a chain of extension headers',
    packet: packet().ipv6(up6).extension('hopByHop').extension('routing', 2).fragment().udp(udp),
    ipHeader: 40,
    decides: 40 + 8 + 24 + 8 + 4,
  },
];

/** undefined where the kernel refuses to run it: newer ones do if the IP header is not whole. */
function runCut(hook: (typeof hooks)[number], bytes: Buffer): Verdict | undefined {
  try {
    return bed.run(hook, bytes, 1).verdict;
  } catch (error) {
    assert.match((error as Error).message, /invalid argument/);
    return undefined;
  }
}

describe('a packet cut short', () => {
  for (const { name, packet: whole, ipHeader, decides } of cuts) {
    for (const hook of hooks) {
      test(`in any header of ${name} is passed on at ${hook}, and no connection made`, () => {
        for (let length = 0; length < decides; length++) {
          const verdict = runCut(hook, whole.bytes.subarray(0, linkHeader + length));
          if (verdict === undefined) assert.ok(length < ipHeader, `refused at ${length}`);
          else assert.equal(verdict, 'TRUNCATED', `at ${length}`);
        }
        assert.deepEqual(bed.connections, []);
        const { verdict } = bed.run(hook, whole.bytes.subarray(0, linkHeader + decides), 1);
        assert.equal(verdict, hook === 'director' ? 'NEW' : 'UNKNOWN');
      });
    }
  }

  test('in the IP header and come by wire is passed on at ingress', () => {
    for (const { src, dst, size } of [
      { ...up4, size: 20 },
      { ...up6, size: 40 },
    ]) {
      const { bytes } = packet({ to: mac.lan }).ip({ src, dst }).udp(udp);
      for (let length = 0; length < size; length++) {
        const verdict = bed.wire('ingress', bytes.subarray(0, linkHeader + length));
        assert.equal(verdict, 'TRUNCATED', `${length} bytes of ${size}`);
      }
    }
  });
});

describe('the chunks of an SCTP packet', () => {
  const flow = new Flow({ protocol: 'sctp' });
  const ports = { sport: flow.port, dport: flow.serverPort };
  const headers = 20 + 12;

  /** Brings the connection to ESTABLISHED, which a cookie alone does not change. */
  const establish = (): void => {
    bed.direct(flow.up());
    bed.run('egress', flow.down('COOKIE-ACK'));
  };

  test('are none where the IP packet ends before, whatever fills the frame', () => {
    for (const hook of hooks) {
      for (const more of [0, 1, 2, 3]) {
        const cut = packet().ipv4({ ...up4, length: headers + more });
        const outcome = bed.run(hook, cut.sctp({ ...ports, chunks: 'INIT' }), 1);
        assert.equal(outcome.verdict, 'TRUNCATED', `${hook}, ${more}`);
      }
    }
    establish();
    const whole = packet().ipv4({ ...up4, length: headers + 4 });
    bed.run('ingress', whole.sctp({ ...ports, chunks: 'COOKIE-ACK+ABORT' }));
    assert.equal(bed.stateOf(flow), 'ESTABLISHED');
  });

  for (const [what, length] of [
    ['of no length', 0],
    ['shorter than its own header', 3],
    ['that ends behind the packet', 0xffff],
  ] as const) {
    test(`are looked at up to a cookie ${what}`, () => {
      establish();
      const { bytes } = flow.up('COOKIE-ACK+ABORT');
      bytes.writeUInt16BE(length, linkHeader + headers + 2);
      assert.equal(bed.run('ingress', bytes).verdict, 'KNOWN');
      assert.equal(bed.stateOf(flow), 'ESTABLISHED');
    });
  }

  test('cut short leave the connection as it is', () => {
    establish();
    for (const hook of hooks) {
      const cut = hook === 'egress' ? flow.down('') : flow.up('');
      assert.equal(bed.run(hook, cut, 1).verdict, 'TRUNCATED');
    }
    assert.equal(bed.stateOf(flow), 'ESTABLISHED');
  });
});
