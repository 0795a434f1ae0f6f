// lvsj metrics after real connections: the counters are those of the director. Needs root.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ServiceState } from '../../src/model/state.ts';
import { DirectorLab, markNew, recipeTable, snatAll } from './director-lab.ts';

const lab = new DirectorLab('metrics');

before(async () => {
  await lab.up();
  lab.director(`${markNew}\n${snatAll}`);
  lab.restore(recipeTable);
  lab.connect(4, { count: 20 });
});
after(() => lab.down());

/** Series by what stands before the value. */
function readSeries(): Map<string, number> {
  const lines = lab.lvsj('metrics').split('\n');
  return new Map(
    lines
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const blank = line.lastIndexOf(' ');
        return [line.slice(0, blank), Number(line.slice(blank + 1))];
      }),
  );
}

test('metrics without a daemon tell what was shared out, and how', () => {
  const series = readSeries();
  const name = 'lvsj_service_gateway_scheduled_connections_total';
  const of = (gateway: string) =>
    series.get(`${name}{service="fwmark 1",family="ipv4",gateway="${gateway}"}`);
  assert.deepEqual([of('192.0.2.1'), of('203.0.113.1')], [15, 5]);
  assert.equal(series.get('lvsj_verdict_packets_total{hook="director",verdict="new"}'), 20);
  assert.equal(series.get('lvsj_gateway_available{gateway="192.0.2.1",family="ipv4"}'), 1);
  // No configuration, no daemon.
  assert.ok(![...series.keys()].some((key) => key.startsWith('lvsj_config')));
});

test('metrics and lvsj service count the same bytes', async () => {
  // So that far more come than go.
  assert.ok((await lab.download(4, 200_000, 1_000_000_000).result).ok);
  const services = JSON.parse(lab.lvsj('service --json')) as ServiceState[];
  const bytes = services.find(({ family }) => family === 4)?.totals;
  const series = readSeries();
  const of = (direction: string) =>
    series.get(
      `lvsj_service_bytes_total{service="fwmark 1",family="ipv4",direction="${direction}"}`,
    );
  assert.ok(bytes && bytes.inBytes > 0 && bytes.outBytes > bytes.inBytes);
  assert.deepEqual([of('up'), of('down')], [bytes.inBytes, bytes.outBytes]);
});
