// Structs to bytes and back, as C lays them out.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as abi from './abi.gen.ts';
import { decode, encode } from './codec.ts';

describe('the codec of C structs', () => {
  test('writes addresses and ports in wire order and the rest in host order', () => {
    const bytes = encode(abi.connKeyLayout, {
      client: { word: [0, 0, 0xffff, 0x0a00000b] },
      server: { word: [0x20010db8, 0, 0, 1] },
      clientPort: 0x1234,
      serverPort: 80,
      protocol: 6,
      persistence: 0,
    });
    assert.equal(
      bytes.toString('hex'),
      '00000000000000000000ffff0a00000b20010db80000000000000000000000011234005006000000',
    );
  });

  test('reads back what it wrote, 64-bit numbers and nested structs too', () => {
    const conn = {
      seenNs: 0x1122334455667788n,
      word: 0x80000301,
      slot: 7,
      openedUs: 1,
      netmask: 0xffffffff,
      // Two names of one place.
      timeoutS: 300,
      generation: 300,
      children: 2,
      beganS: 2,
    };
    assert.deepEqual(decode(abi.connLayout, encode(abi.connLayout, conn)), conn);
  });

  test('ends text at its NUL and never writes over it', () => {
    const bytes = encode(abi.gatewayLayout, {
      via: { word: [0, 0, 0xffff, 1] },
      ifindex: 3,
      flags: 1,
      capacityDown: 0n,
      capacityUp: 0n,
      link: 'a-name-that-is-too-long',
    });
    assert.equal(decode(abi.gatewayLayout, bytes).link, 'a-name-that-is-');
  });

  test('fills arrays that are given short with zeros', () => {
    const bytes = encode(abi.serviceLayout, {
      key: { fwmark: 1, family: 4, tier: 0 },
      index: 0,
      scheduler: 1,
      schedulerFlags: 0,
      persistenceS: 0,
      persistenceKey: 0,
      onePacket: 0,
      ...{ tiers: 1, failback: 0, lastResort: 0 },
      netmask: 0,
      gatewayCount: 2,
      slots: [5, 6],
    });
    assert.deepEqual(decode(abi.serviceLayout, bytes).slots.slice(0, 3), [5, 6, 0]);
  });
});
