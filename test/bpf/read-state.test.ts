// What the outside sees of a director: with the names of a configuration, and without one.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  readConnectionStates,
  readGatewayStates,
  readRuleStates,
  readServiceStates,
  readStatusState,
} from '../../src/kernel/read-state.ts';
import type { Applied } from '../../src/model/applied.ts';
import { well } from '../../src/model/health.ts';
import { counterName } from '../../src/plan/nft-rules.ts';
import { run } from '../../src/util/run.ts';
import { noEvidence } from '../states.ts';
import { gatewayAddress, openBed } from './bed.ts';
import { applied, config } from './configured.ts';
import { flows } from './flow.ts';

const bed = openBed({ gateways: 1 });
const { director } = bed;
after(() => bed.close());

function idOf(address: string): number {
  const found = readGatewayStates(director, undefined).find((each) => each.address === address);
  assert.ok(found, address);
  return found.id;
}

let ids: Record<string, number>;
let state: Applied;

/** As src/kernel would write that configuration: lte is drained, dsl has no next hop. */
before(() => {
  // It will be deleted: nobody has it but this service.
  bed.setService({ gateways: [[102]] });
  bed.setService({
    scheduler: 'wlc',
    persistence: 60,
    gateways: [
      [1, 3],
      [101, 0],
      [102, 5],
    ],
  });
  bed.setService({
    scheduler: 'wlc',
    persistence: 60,
    gateways: [
      [1, 3],
      [101, 0],
    ],
  });
  bed.setService({ fwmark: 7, gateways: [[1], [101, 2], [50]] });
  ids = {
    'fiber/4': idOf(gatewayAddress(1)),
    'fiber/6': idOf(gatewayAddress(1, 6)),
    'lte/4': idOf(gatewayAddress(101)),
    'cable/4': idOf(gatewayAddress(50)),
  };
  state = applied(ids);
  for (const flow of flows(3)) bed.run('director', flow.up(), 1);
  bed.run('egress', flows(3)[0]!.down());
});

describe('gateways', () => {
  const read = () => readGatewayStates(director, state);

  test('come in the order of the configuration, the others after them', () => {
    const others = readGatewayStates(director, undefined).filter(
      ({ id }) => !Object.values(ids).includes(id),
    );
    assert.deepEqual(
      read().map(({ name, family, address }) => [name, family, address]),
      [
        ['fiber', 4, gatewayAddress(1)],
        ['fiber', 6, gatewayAddress(1, 6)],
        ['dsl', 4, ''],
        ['lte', 4, gatewayAddress(101)],
        ['cable', 4, gatewayAddress(50)],
        ...others.map(({ family, address }) => ['', family, address]),
      ],
    );
    assert.deepEqual(
      others.map(({ address, present, unavailable }) => [address, present, unavailable]),
      [[gatewayAddress(102), false, 'deleted: no service has it']],
    );
  });

  test('have what the kernel knows of them', () => {
    const [fiber, fiber6] = read();
    const { id, link, present, admin, unavailable, snat, connections, totals } = fiber!;
    assert.deepEqual([id, link, present], [ids['fiber/4'], 'wan1', true]);
    assert.deepEqual([admin, unavailable, snat], ['enabled', '', 'masquerade']);
    assert.deepEqual(connections, { active: 3, inactive: 0 });
    assert.deepEqual([totals.connections, totals.inPackets, totals.outPackets], [3, 3, 1]);
    assert.equal(fiber6?.snat, 'npt 2001:db8:1::/64');
    assert.equal(fiber6?.totals.connections, 0);
  });

  test('are there while they have no next hop, with why', () => {
    const dsl = read().find(({ name }) => name === 'dsl');
    assert.deepEqual(
      { ...dsl, totals: undefined },
      {
        ...{ name: 'dsl', id: 0, family: 4, address: '', link: 'wan3', present: false },
        ...{ admin: 'enabled', unavailable: 'no default route on wan3', health: well },
        snat: 'masquerade',
        capacity: { down: 16e6, up: 1e6, downAssumed: false, upAssumed: false },
        ...{ rate: { down: 0, up: 0 }, connections: { active: 0, inactive: 0 } },
        ...{ totals: undefined, rttUs: null, evidence: noEvidence },
      },
    );
  });

  test('have what the admin told them', () => {
    const lte = read().find(({ name }) => name === 'lte');
    assert.deepEqual([lte?.admin, lte?.unavailable], ['drained', '']);
  });

  test('whose link is the way have no next hop', () => {
    bed.setService({ fwmark: 8, gateways: [['0.0.0.0%wan2']] });
    const [service] = readServiceStates(director, state).filter(({ fwmark }) => fwmark === 8);
    const gateway = read().find(({ present, address }) => present && address === '');
    bed.edit((table) => ({ ...table, services: table.services.filter((s) => s.fwmark !== 8) }));
    assert.deepEqual([gateway?.family, gateway?.link], [4, 'wan2']);
    assert.deepEqual(
      service?.gateways.map(({ address }) => address),
      [''],
    );
  });

  test('that somebody took away in the kernel say so, but not those that an admin disabled', () => {
    const { id } = read().find(({ name }) => name === 'lte')!;
    const entry = director.maps.gateways.get(id)!;
    director.maps.gateways.set(id, { ...entry, flags: 0 });
    const [lte, disabled] = [state, { ...state, admin: { lte: 'disabled' as const } }].map(
      (given) => readGatewayStates(director, given).find(({ name }) => name === 'lte'),
    );
    director.maps.gateways.set(id, entry);
    assert.equal(lte?.unavailable, 'it is missing in the kernel: lvsj apply puts it there');
    assert.equal(lte?.address, gatewayAddress(101));
    assert.deepEqual([disabled?.admin, disabled?.unavailable], ['disabled', '']);
  });
});

describe('services', () => {
  const read = () => readServiceStates(director, state);

  test('come in the order of the configuration, the others by fwmark', () => {
    assert.deepEqual(
      read().map(({ name, family, fwmark }) => `${name} ${family} ${fwmark}`),
      ['web 4 1', 'web 6 1', ' 4 7', ' 4 65534', ' 6 65534'],
    );
  });

  test('have their gateways in the order of the file, with both weights', () => {
    const [web] = read();
    assert.deepEqual(
      web?.gateways.map((each) => [each.gateway, each.address, each.weight, each.effectiveWeight]),
      [
        ['fiber', gatewayAddress(1), 3, 3],
        ['dsl', '', 2, 0],
        ['lte', gatewayAddress(101), 1, 0],
      ],
    );
    assert.equal(web?.gateways[0]?.totals.connections, 3);
    assert.equal(web?.totals.connections, 3);
    assert.equal(web?.gateways[0]?.persistent, 1);
  });

  test('that the kernel does not have are shown as they are wanted', () => {
    const web6 = read().find(({ name, family }) => name === 'web' && family === 6);
    const { gateways, totals, rates, ...rest } = web6!;
    assert.deepEqual(rest, {
      ...{ name: 'web', family: 6, fwmark: 1, scheduler: 'wlc', schedulerFlags: [] },
      ...{ persistence: 60, persistenceKey: 'source', netmask: '128', onePacket: false },
      ...{ onDown: 'reset', failback: 'stay', lastResort: 'main', fastpath: 'off' },
    });
    assert.deepEqual(
      gateways.map(({ gateway, weight, effectiveWeight }) => [gateway, weight, effectiveWeight]),
      [['fiber', 3, 0]],
    );
  });

  test('of others have the names of their gateways, and the weights that the kernel has', () => {
    const other = read().find(({ fwmark }) => fwmark === 7);
    assert.deepEqual(
      other?.gateways.map((each) => [each.gateway, each.weight, each.effectiveWeight]),
      [
        ['cable', 1, 1],
        ['lte', 2, 2],
        ['fiber', 1, 1],
      ],
    );
  });
});

describe('connections', () => {
  const read = (given: Applied | undefined) => [...readConnectionStates(director, given)];

  test('have the names of their gateway and service', () => {
    const [first, ...others] = read(state).filter(({ protocol }) => protocol === 6);
    assert.equal(others.length, 2);
    assert.deepEqual(
      [first?.gateway, first?.gatewayName, first?.serviceName, first?.fwmark],
      [gatewayAddress(1), 'fiber', 'web', 1],
    );
    assert.ok(first && ['scheduler', 'template'].includes(first.reason));
    const template = read(state).find(({ protocol }) => protocol === 0);
    assert.deepEqual([template?.gatewayName, template?.serviceName], ['fiber', 'web']);
  });

  test('have the address of their gateway where nothing has a name', () => {
    const names = read(undefined).map(({ gatewayName, serviceName }) => [gatewayName, serviceName]);
    assert.deepEqual(
      names,
      names.map(() => [gatewayAddress(1), '']),
    );
  });
});

describe('rules', () => {
  test('have what their counters have counted', () => {
    const counter = `add counter inet lvsj ${counterName('https')} { packets 5 bytes 300 }`;
    run(['nft', counter]);
    assert.deepEqual(readRuleStates(state), [
      { name: 'https', at: 'lvsj.yaml:30', service: 'web', packets: 5, bytes: 300 },
      { name: 'the rest', at: 'lvsj.yaml:31', service: 'main', packets: 0, bytes: 0 },
    ]);
  });
});

describe('the status', () => {
  test('says which configuration is applied, and how long it waits for its confirmation', () => {
    const { file, generation, appliedAt } = state;
    const of = (unconfirmed: Applied['unconfirmed']) =>
      readStatusState(director, { ...state, unconfirmed }, null).config;
    assert.deepEqual(of(null), { file, generation, appliedAt, confirmBy: null });
    const by = '2026-11-25T03:45:12.345Z';
    assert.equal(of({ by, config, file })?.confirmBy, by);
  });

  test('has the daemon that it is told, the gateways, and verdicts by name', () => {
    const daemon = { pid: 812, error: '', needyRules: [] };
    const status = readStatusState(director, state, daemon);
    assert.equal(status.daemon, daemon);
    assert.deepEqual(status.connections, { now: 4, limit: 4096 });
    assert.deepEqual(status.gateways[0], {
      ...{ name: 'fiber', id: ids['fiber/4'], address: gatewayAddress(1), link: 'wan1' },
      ...{ present: true, admin: 'enabled', unavailable: '', health: well },
    });
    assert.deepEqual(status.verdicts, {
      director: { new: 1, template: 2 },
      ingress: {},
      egress: { known: 1 },
      'uplink-in': {},
      'uplink-out': {},
    });
  });
});

describe('where only lvsj ipvsadm was used', () => {
  test('nothing has a name, and everything else is there', () => {
    const gateways = readGatewayStates(director, undefined);
    assert.deepEqual([...new Set(gateways.map(({ name, snat }) => name + snat))], ['']);
    assert.equal(gateways.find(({ id }) => id === ids['fiber/4'])?.connections.active, 3);
    const [first] = readServiceStates(director, undefined);
    assert.deepEqual([first?.name, first?.fwmark], ['', 1]);
    assert.deepEqual(
      first?.gateways.map(({ gateway, address }) => [gateway, address]),
      [gatewayAddress(101), gatewayAddress(1)].map((address) => [address, address]),
    );
    assert.deepEqual(readRuleStates(undefined), []);
    assert.equal(readStatusState(director, undefined, null).config, null);
  });
});
