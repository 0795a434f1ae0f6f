// Metrics: the text of a small state, and the rules that all names keep.
// https://prometheus.io/docs/practices/naming/

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fakeStore, fiber, status, web } from '../../test/fake-store.ts';
import { buildMetrics, formatMetrics } from './metrics.ts';

interface Metric {
  name: string;
  help: string;
  type: string;
  values: { labels: Record<string, string>; value: number; metricName?: string }[];
}

const readMetrics = async (store = fakeStore()): Promise<Metric[]> =>
  (await buildMetrics(store, '0.1.0').getMetricsAsJSON()) as unknown as Metric[];

const metrics = await readMetrics();

/** Of one metric, as text; '' if there is none. */
const seriesOf = async (name: string, store = fakeStore()): Promise<string> => {
  const lines = (await formatMetrics(store, '0.1.0')).split('\n');
  return lines.filter((line) => line.split(/[ {]/)[0] === name).join('\n');
};

const expected = join(import.meta.dirname, '../../test/golden/metrics.txt');

test('the text of a small state is as recorded', async () => {
  assert.equal(await formatMetrics(fakeStore(), '0.1.0'), readFileSync(expected, 'utf8'));
});

/** Names of what has no unit: it counts things, is a number of its own kind, or 0 and 1. */
const nouns =
  /_(connections|packets|limit|templates|weight|tier|generation|info|state|available|successful|unconfirmed)$/;
const baseUnits = /_(bytes|seconds|bytes_per_second|timestamp_seconds)$/;
const otherUnits = /(milli|micro|nano|kilo|mega|giga|minute|hour|bits?_|bits?$|_ms|_us|_ns)/;
/** What an admin names, or the program has a list of: nobody outside can make more of them. */
const boundedLabels = [
  ...['version', 'hook', 'verdict', 'gateway', 'service', 'rule', 'family', 'state', 'direction'],
  ...['id', 'address', 'link', 'snat', 'fwmark', 'scheduler', 'protocol'],
  // One at a time.
  'incident',
];

describe('each metric', () => {
  for (const { name, help, type, values } of metrics) {
    const base = name.replace(/_total$/, '');

    test(`${name} has a snake_case name of ours`, () => assert.match(name, /^lvsj(_[a-z]+)+$/));

    test(`${name} ends in its unit, a base unit, or in what it counts`, () => {
      assert.ok(nouns.test(base) || baseUnits.test(base), base);
      assert.doesNotMatch(base, otherUnits);
    });

    test(`${name} ends in _total if and only if it is a counter`, () => {
      assert.equal(name.endsWith('_total'), type === 'counter');
      assert.doesNotMatch(name, /_(count|sum|bucket|created)$/);
    });

    test(`${name} has a help text of one sentence`, () => assert.match(help, /^[A-Z0-9].*\.$/));

    test(`${name} has labels of bounded values only, the same for each series`, () => {
      assert.ok(values.length > 0);
      const own = values.map((value) =>
        Object.keys(value.labels).filter((label) => label !== 'le'),
      );
      assert.equal(new Set(own.map(String)).size, 1);
      for (const label of own[0] ?? []) assert.ok(boundedLabels.includes(label), label);
    });
  }

  test('has a name that OpenMetrics can tell from the others, without _total too', () => {
    const bases = metrics.map(({ name }) => name.replace(/_total$/, ''));
    assert.equal(new Set(bases).size, bases.length);
  });

  test('is described in docs/metrics.md, and no other is', () => {
    const text = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
    const described = [...text.matchAll(/^\| `(lvsj_\w+)`/gm)].map(([, name]) => name);
    assert.deepEqual(described.sort(), metrics.map(({ name }) => name).sort());
  });
});

describe('a series', () => {
  test('is called by address where the gateway has no name', async () => {
    const store = fakeStore({ gateways: () => [{ ...fiber, name: '' }] });
    const text = await seriesOf('lvsj_gateway_available', store);
    assert.equal(text, 'lvsj_gateway_available{gateway="192.0.2.1",family="ipv4"} 1');
  });

  test('is called by fwmark where the service has no name', async () => {
    const store = fakeStore({ services: () => [{ ...web, name: '', family: 6 }] });
    const text = await seriesOf('lvsj_service_scheduled_connections_total', store);
    const name = 'lvsj_service_scheduled_connections_total';
    assert.equal(text, `${name}{service="fwmark 1",family="ipv6"} 400`);
  });

  test('ends with its gateway', async () => {
    const store = fakeStore({ gateways: () => [{ ...fiber, name: '', present: false }] });
    assert.equal(await seriesOf('lvsj_gateway_bytes_total', store), '');
  });

  test('does not end while its gateway is configured and has no next hop', async () => {
    const gateway = { ...fiber, address: '', present: false, unavailable: 'no next hop' };
    const text = await seriesOf('lvsj_gateway_available', fakeStore({ gateways: () => [gateway] }));
    assert.equal(text, 'lvsj_gateway_available{gateway="fiber",family="ipv4"} 0');
  });

  test('of a label that quotes, breaks or escapes is escaped', async () => {
    const store = fakeStore({
      rules: () => [{ name: 'a"b\\c\nd', at: '', service: 'web', packets: 1, bytes: 2 }],
    });
    const text = await seriesOf('lvsj_rule_packets_total', store);
    assert.equal(text, 'lvsj_rule_packets_total{rule="a\\"b\\\\c\\nd",service="web"} 1');
  });

  test('of a counter is the running total at each scrape, not a sum of scrapes', async () => {
    const store = fakeStore();
    const first = await formatMetrics(store, '0.1.0');
    assert.equal(await formatMetrics(store, '0.1.0'), first);
  });
});

describe('a histogram', () => {
  const all = metrics.filter(({ type }) => type === 'histogram');

  test('has buckets that hold what is in the ones before, up to all that were counted', () => {
    for (const { name, values } of all) {
      const of = (suffix: string) =>
        values.filter(
          ({ metricName, labels }) => metricName === name + suffix && labels.gateway === 'fiber',
        );
      const buckets = of('_bucket').map(({ labels, value }) => [labels.le, value] as const);
      const bounds = buckets.map(([bound]) => Number(bound === '+Inf' ? Infinity : bound));
      const counts = buckets.map(([, count]) => count);
      assert.deepEqual(
        bounds,
        bounds.toSorted((a, b) => a - b),
      );
      assert.deepEqual(
        counts,
        counts.toSorted((a, b) => a - b),
      );
      assert.equal(counts.at(-1), of('_count')[0]?.value);
    }
  });

  test('of answers knows those of the LAN, of a line, and those that came too late for any bound', async () => {
    const text = await seriesOf('lvsj_gateway_answer_seconds_bucket');
    for (const [bound, count] of [
      ['0.000256', 1],
      ['0.001024', 31],
      ['0.016384', 71],
      ['8.388608', 76],
      ['+Inf', 77],
    ])
      assert.match(
        text,
        new RegExp(
          `^\\S+{le="${`${bound}`.replace('+', '\\+')}",gateway="fiber",\\S+} ${count}$`,
          'm',
        ),
      );
  });
});

describe('what is not known has no series', () => {
  test('of a configuration that was never applied, of a daemon that does not run', async () => {
    const store = fakeStore({ status: () => ({ ...status, config: null, daemon: null }) });
    const names = (await readMetrics(store)).map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => name.startsWith('lvsj_config')),
      [],
    );
  });

  test('of a refused configuration is 0', async () => {
    const daemon = { pid: 1, error: 'x', needyRules: [] };
    const store = fakeStore({ status: () => ({ ...status, daemon }) });
    const name = 'lvsj_config_last_reload_successful';
    assert.equal(await seriesOf(name, store), `${name} 0`);
  });
});
