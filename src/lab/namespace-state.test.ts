// The comparison of a namespace before and after.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffNamespaceStates, networkSysctls } from './namespace-state.ts';

test('two equal states have no difference', () => {
  const state = { 'ip rule': 'a\nb\n', 'ip link': '' };
  assert.deepEqual(diffNamespaceStates(state, { ...state }), []);
});

test('a line that came, one that went and a command that one side lacks are told', () => {
  const before = { 'ip rule': 'a\nb\n', 'tc filter show dev gone ingress': 'x\n' };
  const after = { 'ip rule': 'a\na\nc\n' };
  assert.deepEqual(diffNamespaceStates(before, after), [
    'ip rule: - b',
    'ip rule: + a',
    'ip rule: + c',
    'tc filter show dev gone ingress: - x',
  ]);
});

test('another order of the same lines is a difference', () => {
  assert.deepEqual(diffNamespaceStates({ 'ip rule': 'a\nb\n' }, { 'ip rule': 'b\na\n' }), [
    'ip rule: the same lines in another order',
  ]);
});

test('sysctls of the machine, and counters, are no part of the state', () => {
  const text = `kernel.pid_max = 1
net.ipv4.ip_forward = 1
net.netfilter.nf_conntrack_count = 7
net.netfilter.nf_conntrack_max = 8
`;
  assert.equal(networkSysctls(text), 'net.ipv4.ip_forward = 1\nnet.netfilter.nf_conntrack_max = 8');
});
