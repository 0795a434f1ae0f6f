// What a command line means. Its odd corners are in test/golden-grammar.test.ts.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Context, defaultContext } from './command.ts';
import { parseCommand } from './parse.ts';

const parse = (line: string, context: Partial<Context> = {}) =>
  parseCommand(line.split(' '), { ...defaultContext, ...context });

const refuses = (line: string, message: string | RegExp, status = 2) =>
  assert.throws(() => parse(line), { message, status });

describe('a service command', () => {
  const service = {
    kind: 'add-service',
    key: { family: 4, fwmark: 1 },
    scheduler: 'wlc',
    schedulerFlags: [],
    persistence: 0,
    engine: '',
    netmask: '255.255.255.255',
    onePacket: false,
  };

  test('has the defaults of ipvsadm', () => {
    assert.deepEqual(parse('-A -f 1'), service);
    assert.deepEqual(parse('-E -f 1'), { ...service, kind: 'edit-service' });
    const ipv6 = { key: { family: 6, fwmark: 1 }, netmask: '128' };
    assert.deepEqual(parse('-A -f 1 -6'), { ...service, ...ipv6 });
  });

  test('reads all its options', () => {
    assert.deepEqual(parse('-A -f 1 -s sh -b sh-port -p 60 -M 255.255.255.0 --pe destination -o'), {
      ...service,
      scheduler: 'sh',
      schedulerFlags: ['sh-port'],
      persistence: 60,
      engine: 'destination',
      netmask: '255.255.255.0',
      onePacket: true,
    });
  });

  test('forgets a mask without persistence', () => {
    assert.deepEqual(parse('-A -f 1 -M 255.255.255.0'), service);
  });
});

describe('a server command', () => {
  test('has the defaults of ipvsadm', () => {
    assert.deepEqual(parse('-e -f 1 -r 192.0.2.1'), {
      kind: 'edit-server',
      key: { family: 4, fwmark: 1 },
      address: '192.0.2.1',
      port: 0,
      weight: 1,
      upper: 0,
      lower: 0,
    });
  });

  test('wants a gateway of its own family', () => {
    const message = 'Different address family is allowed only for tunneling servers';
    refuses('-a -f 1 -r 2001:db8::1', message);
    refuses('-a -f 1 -6 -r 192.0.2.1', message);
  });

  test('wants the link of a link-local gateway', () => {
    refuses('-a -f 1 -6 -r fe80::1', /^fe80::1 may be on any link: .* fe80::1%LINK$/);
    assert.equal(parse('-a -f 1 -6 -r fe80::1%eth1:0').kind, 'add-server');
  });
});

describe('a fwmark', () => {
  test('that touches the gateway bits is refused with the range that is free', () => {
    refuses(
      '-A -f 16777216',
      "invalid fwmark value `16777216' specified: " +
        'the bits 0xff000000 hold the gateway, 1..16777215 are free',
    );
    refuses('-L -f 4294967295', /1\.\.16777215 are free$/);
    assert.equal(parse('-A -f 16777215').kind, 'add-service');
  });

  test('is held against the bits of the running director', () => {
    assert.throws(() => parse('-D -f 256', { markMask: 0x0000ff00 }), /1\.\.255 are free$/);
    assert.throws(() => parse('-D -f 255', { markMask: 0x000000ff }), /use a mark without them$/);
    assert.equal(parse('-D -f 4294967295', { markMask: 0 }).kind, 'delete-service');
  });
});

describe('what a director for outgoing traffic cannot do', () => {
  test('is refused in a sentence that says what to do instead', () => {
    refuses('-A -t 192.0.2.1:80', /^-t: .*use -f FWMARK$/);
    refuses('-A --udp-service 192.0.2.1:53', /^-u: .*use -f FWMARK$/);
    refuses('-D --sctp-service 192.0.2.1:9', /^--sctp-service: .*use -f FWMARK$/);
    for (const option of ['-g', '-i', '-m'])
      refuses(`-a -f 1 -r 192.0.2.1 ${option}`, new RegExp(`^${option}: .*use -j$`));
    refuses('-a -f 1 -r 192.0.2.1 -j --tun-type gue', /^--tun-type: .*use -j$/);
    refuses('--start-daemon master', /^--start-daemon: .*use conntrackd/);
    refuses('--stop-daemon backup', /^--stop-daemon: .*use conntrackd/);
  });

  test('is served under a name that programs for IPVS know, but nothing else is', () => {
    const parseRoute = (line: string) => parse(line, { forwarder: 'Route' });
    const gateway = parse('-a -f 1 -r 192.0.2.1 -w 3 -j');
    for (const option of ['-g', '--gatewaying', '-j'])
      assert.deepEqual(parseRoute(`-a -f 1 -r 192.0.2.1 -w 3 ${option}`), gateway);
    for (const option of ['-i', '-m'])
      assert.throws(() => parseRoute(`-a -f 1 -r 192.0.2.1 ${option}`), /use -j$/);
  });

  test('is refused only where it would be in place', () => {
    refuses('-L -g', "Illegal 'forwarding-method' option with the 'list' command");
    refuses(
      '-a -f 1 -g',
      "You need to supply the 'real-server' option for the 'add-server' command",
    );
    refuses('-a -f 1 -j -g', "multiple 'forwarding-method' options specified");
    refuses('-A -f 1 -t 192.0.2.1:80', "multiple 'service-address' options specified");
  });
});

describe('the other commands', () => {
  test('are told apart', () => {
    assert.deepEqual(parse('-Z -f 1 -6'), { kind: 'zero', key: { family: 6, fwmark: 1 } });
    assert.deepEqual(parse('-Z'), { kind: 'zero' });
    assert.deepEqual(parse('-C'), { kind: 'flush' });
    assert.deepEqual(parse('-R'), { kind: 'restore' });
    assert.deepEqual(parse('-Sn'), { kind: 'save', numeric: true, forwarder: 'ReInj' });
    assert.deepEqual(parse('--set 1 0 3'), { kind: 'set', tcp: 1, tcpFin: 0, udp: 3 });
    assert.deepEqual(parse('-h --nonsense'), { kind: 'help' });
    assert.deepEqual(parse('-v'), { kind: 'version' });
  });

  test('of no arguments at all is a list', () => {
    assert.deepEqual(parseCommand([]), parse('-L'));
  });

  test('list connections, timeouts or daemons if asked', () => {
    const whatOf = (line: string) =>
      Object.entries(parse(line)).find(([name]) => name === 'what')?.[1];
    assert.equal(whatOf('-L -f 1'), 'services');
    assert.equal(whatOf('-Lcn'), 'connections');
    assert.equal(whatOf('-L --timeout'), 'timeouts');
    assert.equal(whatOf('-L --daemon'), 'daemon');
  });

  test('begin with the command', () => {
    refuses('-f 1 -A', "Try `lvsj ipvsadm -h' or 'lvsj ipvsadm --help' for more information.", 255);
  });
});
