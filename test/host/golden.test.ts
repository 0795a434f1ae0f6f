// Every recorded decision of real IPVS with a scheduler that we have, against bpf/sched*.h.

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { connState } from '../../src/kernel/abi.gen.ts';
import { type After, parseCommand, type Recording, recordings } from '../golden/recording.ts';
import { type Decision, Replay } from './replay.ts';
import { SchedHost } from './sched-host.ts';
import { HostScheduling } from './scheduling.ts';

/**
 * IPVS keeps a client on a gateway that was drained; lvs-j moves it unless expire_quiescent_template
 * is 0. By recording: the connections that IPVS opened through a template of a gateway with weight 0.
 */
const keptByIpvs: Record<string, number[]> = {
  'rr-w123-persist-8clients-dynamic60': [15, 16, 17, 20, 25, 28],
  'sh-w123-persist-8clients-dynamic60': [15, 17, 20, 22, 25, 28],
  'wlc-w123-persist-8clients-dynamic60': [16, 25, 28],
  'wrr-w123-persist-8clients-dynamic60': [16, 22, 25, 28],
};

/** All that there is, so that a file which is not found is a failure. */
const expected = { recordings: 94, scheduler: 7050, template: 182, 'drained template': 19 };

const host = new SchedHost();
after(() => host.stop());

async function replay(recording: Recording): Promise<Replay> {
  const replay = new Replay(new HostScheduling(host));
  await replay.run(recording);
  return replay;
}

const format = ({ conn, by }: Decision, chosen: string | null): string =>
  `connection ${conn}, by ${by}: ${chosen ?? 'none'}`;

test('the recorded decisions of IPVS are ours', async (t) => {
  const compared = { recordings: 0, scheduler: 0, template: 0, 'drained template': 0 };
  for (const recording of recordings) {
    await t.test(`in ${recording.name}`, async () => {
      const { decisions } = await replay(recording);
      assert.equal(decisions.length, recording.sequence.length);
      assert.deepEqual(
        decisions.map((decision) => format(decision, decision.have)),
        decisions.map((decision) => format(decision, decision.want)),
      );
      const drained = decisions.filter(({ by }) => by === 'drained template');
      const conns = drained.map(({ conn }) => conn);
      assert.deepEqual(conns, keptByIpvs[recording.name] ?? []);
      compared.recordings += 1;
      for (const { by } of decisions) compared[by] += 1;
    });
  }
  assert.deepEqual(compared, expected);
});

/** Client and gateway of each row of /proc/net/ip_vs_conn; an invalidated one has port 65535. */
function recordedTemplates({ templates_at_end: rows = [] }: Recording): [string, string][] {
  const address = (hex = '') => Buffer.from(hex, 'hex').join('.');
  return rows
    .map((row) => row.split(/\s+/))
    .filter(([, , , , virtualPort]) => virtualPort === '0000')
    .map(([, client, , , , gateway]) => [address(client), address(gateway)]);
}

describe('the templates at the end of a recording are those of the replay', () => {
  for (const recording of recordings.filter((recording) => recording.templates_at_end)) {
    test(`in ${recording.name}`, async () => {
      const { templates } = await replay(recording);
      const want = recordedTemplates(recording);
      assert.deepEqual(
        want.map(([client]) => [client, templates.get(client)]),
        want,
      );
    });
  }
});

/** By the names of /proc/net/ip_vs_conn. No recorded UDP flow was answered. */
const stateNumbers: Record<string, number> = {
  ESTABLISHED: connState.CONN_ESTABLISHED,
  FIN_WAIT: connState.CONN_FIN_WAIT,
  TIME_WAIT: connState.CONN_TIME_WAIT,
  UDP: connState.CONN_ASKED,
};

/** ActiveConn and InActConn after each step, counted from the states that connections are in. */
async function countByState({ ops }: Recording): Promise<After[]> {
  const conns = new Map<number, { gateway: string; active: number }>();
  const counted: After[] = [];
  for (const op of ops) {
    const gateway = op.op === 'open' ? op.dest : op.op === 'close' && conns.get(op.conn)?.gateway;
    if (op.op !== 'ipvsadm' && gateway) {
      const active = await host.ask('active', stateNumbers[op.state!]!);
      conns.set(op.conn, { gateway, active });
    }
    if (!op.after) continue;
    const step: After = {};
    for (const name of Object.keys(op.after)) {
      const own = [...conns.values()].filter(({ gateway }) => gateway === name);
      const active = own.filter(({ active }) => active === 1).length;
      step[name] = [active, own.length - active];
    }
    counted.push(step);
  }
  return counted;
}

describe('active and inactive connections are counted as recorded', () => {
  for (const recording of recordings) {
    // One-packet connections are never counted.
    if (parseCommand(recording.setup[0]!).onePacket) continue;
    test(`in ${recording.name}`, async () => {
      const want = recording.ops.flatMap(({ after }) => (after ? [after] : []));
      assert.deepEqual(await countByState(recording), want);
    });
  }
});
