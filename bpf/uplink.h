/* SPDX-License-Identifier: GPL-2.0 */
/* Where the fast path meets the uplinks: what comes in by one, and what the stack sends out by one. */
#ifndef LVSJ_UPLINK_H
#define LVSJ_UPLINK_H

#include "fast.h"
#include "fast_learn.h"
#include "parse.h"
#include "stats.h"

static __always_inline int uplink_in(struct __sk_buff *skb, __u32 link_header, int *action)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	void *flows = fast_map(&fast_down);
	struct flow flow = {};

	if (!flows || !fast_guard_get(now))
		return VERDICT_UNKNOWN;
	if (skb->vlan_present)
		return VERDICT_TAGGED;
	if (skb->pkt_type != PACKET_HOST)
		return VERDICT_MULTICAST;
	*action = fast_take(skb, &flow, flows, link_header, DIRECTION_OUT, now);
	if (*action != TC_ACT_UNSPEC)
		return VERDICT_FAST;
	if (flow.learns)
		skb->tc_index = TC_INDEX_LEARN | flow.dscp;
	return VERDICT_UNKNOWN;
}

static __always_inline int from_uplink(struct __sk_buff *skb, __u32 link_header)
{
	int action = TC_ACT_UNSPEC;

	skb->tc_index = 0;
	verdict_count(HOOK_UPLINK_IN, uplink_in(skb, link_header, &action));
	return action;
}

static __always_inline int uplink_out(struct __sk_buff *skb)
{
	struct flow flow = {};
	int verdict = flow_parse(skb, &flow, 0, DIRECTION_IN);

	if (verdict)
		return verdict;
	if (!fast_may_learn(skb, &flow))
		return VERDICT_UNKNOWN;
	return fast_learn_up(skb, &flow, bpf_ktime_get_coarse_ns());
}

static __always_inline void to_uplink(struct __sk_buff *skb)
{
	/* All others were counted where they came in, or are not from the LAN. */
	if (tc_index_learns(skb->tc_index))
		verdict_count(HOOK_UPLINK_OUT, uplink_out(skb));
}

#endif
