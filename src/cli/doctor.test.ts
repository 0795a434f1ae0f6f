// What lvsj doctor prints, and its exit status.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checks } from '../doctor/checks.ts';
import type { Finding, Severity } from '../doctor/finding.ts';
import { exitStatus, formatFindings } from './doctor.ts';

const finding = (severity: Severity): Finding => ({
  ...{ severity, check: 'forwarding', what: 'IPv4 forwarding is off: no packet passes' },
  fix: 'sysctl -w net.ipv4.ip_forward=1',
});

test('the exit status is that of the worst', () => {
  const status = (...all: Severity[]): number => exitStatus(all.map(finding));
  assert.deepEqual([status(), status('note'), status('note', 'warning')], [0, 0, 1]);
  assert.equal(status('warning', 'error', 'note'), 3);
});

test('each finding has its fix below it, and the last line sums up', () => {
  assert.equal(
    formatFindings([finding('error'), finding('note'), finding('note')]).replace(
      String(checks.length),
      'N',
    ),
    `error    forwarding: IPv4 forwarding is off: no packet passes
         -> sysctl -w net.ipv4.ip_forward=1

note     forwarding: IPv4 forwarding is off: no packet passes
         -> sysctl -w net.ipv4.ip_forward=1

note     forwarding: IPv4 forwarding is off: no packet passes
         -> sysctl -w net.ipv4.ip_forward=1

N checks: 1 error, 2 notes
`,
  );
  assert.equal(formatFindings([]), `${checks.length} checks: nothing found\n`);
});
