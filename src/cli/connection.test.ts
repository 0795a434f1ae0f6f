// The words of lvsj connection, and what they ask for.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { connectionState, gatewayState } from '../../test/states.ts';
import { connectionCommand, countConnections, type Options, toFilter } from './connection.ts';
import { parse } from './parse.ts';

async function optionsOf(words: string): Promise<Options> {
  const command = connectionCommand();
  assert.ok(await parse(command, words === '' ? [] : words.split(' ')));
  return command.opts<Options>();
}

const fiber4 = gatewayState();
const fiber6 = gatewayState({ id: 2, family: 6, address: '2001:db8:1::1' });
const unnamed = gatewayState({ name: '', id: 3, address: '203.0.113.1' });
const services = [{ name: 'web', fwmark: 1 }];

async function filterOf(words: string): Promise<object> {
  const filter = toFilter(await optionsOf(words), [fiber4, fiber6, unnamed], services);
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}

describe('connections are asked for', () => {
  for (const [words, filter] of [
    ['', {}],
    ['--client 10.0.0.0/24 --server 2001:db8::1', { client: '10.0.0.0/24', server: '2001:db8::1' }],
    ['--protocol tcp --port 443', { protocol: 6, port: 443 }],
    ['--protocol template', { protocol: 0 }],
    ['--state established --limit 3', { state: 'established' }],
    ['--gateway fiber', { gateway: 'fiber' }],
    ['--gateway 2', { gateway: 'fiber', family: 6 }],
    ['--gateway 192.0.2.1', { gateway: 'fiber', family: 4 }],
    ['--gateway 3', { gateway: '203.0.113.1', family: 4 }],
    ['--service web', { service: '1' }],
    ['--service 0x10', { service: '16' }],
  ] as const)
    test(`by ${words || 'nothing'}`, async () => assert.deepEqual(await filterOf(words), filter));

  for (const [words, message] of [
    ['--client 10.0.0.0/33', /--client .* Write an address or a prefix/],
    ['--protocol http', /--protocol .* Write tcp, udp/],
    ['--port 65536', /--port .* from 0 to 65535/],
    ['--limit -1', /--limit .* a whole number/],
    ['fiber', /too many arguments/],
  ] as const)
    test(`but not by ${words}`, async () => {
      await assert.rejects(optionsOf(words), { message, status: 2 });
    });

  test('but not by a gateway or service that is not there', async () => {
    await assert.rejects(filterOf('--gateway lte'), /^UserError: gateway lte: .* no such gateway/);
    await assert.rejects(filterOf('--service mail'), {
      message:
        'service mail: no service has this name (name it by its name or fwmark); lvsj service lists them',
      status: 1,
    });
  });
});

test('templates are counted for themselves', () => {
  const all = [connectionState(), connectionState({ protocol: 0 }), connectionState()];
  assert.deepEqual(countConnections(all), { connections: 2, templates: 1 });
});
