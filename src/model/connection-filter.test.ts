// Which connections a filter lets through.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectionState } from '../../test/states.ts';
import { type ConnectionFilter, matchConnection, parsePrefix } from './connection-filter.ts';

const web = connectionState();
const dns = connectionState({
  ...{ protocol: 17, client: '10.0.1.1', serverPort: 53, state: 'UDP', gatewayName: 'lte' },
});
const unnamed = connectionState({
  client: '10.0.0.2',
  gatewayName: '192.0.2.9',
  gateway: '192.0.2.9',
});
const ipv6 = connectionState({
  ...{ family: 6, client: '2001:db8::1', server: '2001:db8:1::1', serviceName: '', fwmark: 7 },
});
const template = connectionState({
  ...{ protocol: 0, client: '10.0.0.0', clientPort: 0, server: '0.0.0.1', serverPort: 0 },
});
const all = [web, dns, unnamed, ipv6, template];

describe('a filter of connections', () => {
  for (const [name, filter, found] of [
    ['that is empty lets all through', {}, all],
    ['takes a client prefix', { client: '10.0.0.0/24' }, [web, unnamed, template]],
    ['takes a client address', { client: '10.0.0.2' }, [unnamed]],
    ['takes a client address however it is written', { client: '2001:DB8:0::1' }, [ipv6]],
    ['takes the prefix of all IPv4', { client: '0.0.0.0/0' }, [web, dns, unnamed, template]],
    ['takes the prefix of all IPv6', { client: '::/0' }, [ipv6]],
    ['takes a server prefix', { server: '2001:db8:1::/48' }, [ipv6]],
    ['takes a gateway by name', { gateway: 'lte' }, [dns]],
    ['takes a gateway by name in one family', { gateway: 'fiber', family: 6 }, [ipv6]],
    ['takes a gateway by address', { gateway: '192.0.2.9' }, [unnamed]],
    ['takes a service by name', { service: 'web' }, [web, dns, unnamed, template]],
    ['takes a service by fwmark', { service: '7' }, [ipv6]],
    ['takes a protocol', { protocol: 17 }, [dns]],
    ['takes templates', { protocol: 0 }, [template]],
    ['takes a port of either end', { port: 53 }, [dns]],
    ['takes a state in any case', { state: 'udp' }, [dns]],
    ['holds in all its parts', { client: '10.0.0.0/8', protocol: 17, port: 443 }, []],
  ] satisfies [string, ConnectionFilter, unknown][])
    test(name, () => assert.deepEqual(all.filter(matchConnection(filter)), found));
});

describe('a prefix', () => {
  test('is an address with or without a length', () => {
    assert.deepEqual(parsePrefix('10.0.0.0/8'), { address: '10.0.0.0', length: 8 });
    assert.deepEqual(parsePrefix('2001:db8::'), { address: '2001:db8::', length: 128 });
  });

  for (const bad of ['', '10.0.0', '10.0.0.0/33', '10.0.0.0/', '::/129', '::/1/2', 'fe80::1%eth0'])
    test(`is not "${bad}"`, () => assert.equal(parsePrefix(bad), undefined));
});
