// SPDX-License-Identifier: GPL-2.0
/*
 * The path of a packet, in order:
 *
 *   1. lvsj_ingress (tc, LAN link): from the LAN. Its connection is known: set the gateway bits
 *      of the mark, so that the policy rules route it; else it goes on unchanged.
 *   2. Whoever wants marks it with a service's fwmark; the rules bring it to
 *   3. lvsj_director (lwt_in, the route of marked packets): connection, template, scheduler;
 *      sets the gateway bits and has it routed again.
 *   4. FORWARD, POSTROUTING, SNAT: the stack's own.
 *   5. lvsj_egress (tc, LAN link): the reply, back in the LAN's addresses: moves the state.
 *
 * Where it is switched on, the fast path goes from 1 to the uplink, and from lvsj_uplink_in to the LAN
 * link, and passes all between by: fast.h. lvsj_uplink_out and 5 teach it what the stack does: fast_learn.h.
 *
 * The router's own packets leave by lvsj0 and come in again on lvsj0p: there lvsj_router is their 1.
 * Each way out is a counted verdict. When in doubt a packet goes on by the main table. It is dropped
 * only where no gateway is left and the service says so.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "choose.h"
#include "conn.h"
#include "edited.h"
#include "explain.h"
#include "fast.h"
#include "fast_learn.h"
#include "leave.h"
#include "maps.h"
#include "mark.h"
#include "open.h"
#include "own.h"
#include "parse.h"
#include "stats.h"
#include "timer.h"
#include "unreachable.h"
#include "uplink.h"
#include "exports.h"

/* action: what becomes of the packet; unchanged: it goes on. */
static __always_inline int ingress(struct __sk_buff *skb, __u32 link_header, int own, int *action)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	struct flow flow = {};
	struct conn *conn;
	enum leave how;
	__u32 gateway;
	int verdict;

	if (skb->vlan_present)
		return VERDICT_TAGGED;
	if (skb->pkt_type != PACKET_HOST)
		return VERDICT_MULTICAST;
	if (!own) {
		*action = fast_take(skb, &flow, fast_map(&fast_up), link_header, DIRECTION_IN, now);
		if (*action != TC_ACT_UNSPEC)
			return VERDICT_FAST;
	}
	verdict = flow_parse(skb, &flow, link_header, DIRECTION_IN);
	if (verdict)
		return verdict;
	conn = conn_find(&flow.key, now);
	if (!conn)
		return VERDICT_UNKNOWN;
	if (conn_is_reused(&flow, conn) || own_is_reused(&flow, conn, own)) {
		/* Now: nobody may mark the new one, and its SYN-ACK would revive the old entry. */
		conn_remove(&flow.key, conn);
		return VERDICT_UNKNOWN;
	}
	how = leave_decide(&flow, conn);
	if (how != LEAVE_STAYS)
		return leave_ingress(skb, &flow, conn, how, now);
	gateway = gateway_of(conn->slot);
	if (!gateway)
		return VERDICT_GATEWAY_GONE;
	own_answered(&flow, conn, now, own);
	conn_advance(&flow, conn, now);
	stats_count(conn->slot, &flow, 0);
	mark_set(skb, gateway);
	skb->tc_index = TC_INDEX_COUNTED;
	if (flow.learns && fast_is_wanted(conn, now) && fast_foresee(skb, &flow, now))
		skb->tc_index = TC_INDEX_LEARN | flow.dscp;
	return VERDICT_KNOWN;
}

static __always_inline int from_lan(struct __sk_buff *skb, __u32 link_header, int own)
{
	int action = TC_ACT_UNSPEC;

	skb->tc_index = own ? TC_INDEX_OWN : 0;
	verdict_count(HOOK_INGRESS, ingress(skb, link_header, own, &action));
	return action;
}

SEC("tc")
int lvsj_ingress(struct __sk_buff *skb)
{
	return from_lan(skb, ETH_HLEN, 0);
}

/* For links without a link header: tun, wg, ppp. */
SEC("tc")
int lvsj_ingress_ip(struct __sk_buff *skb)
{
	return from_lan(skb, 0, 0);
}

/* On lvsj0p: the router's own. */
SEC("tc")
int lvsj_router(struct __sk_buff *skb)
{
	own_return_hop(skb);
	return from_lan(skb, ETH_HLEN, 1);
}

static __always_inline int egress(struct __sk_buff *skb, __u32 link_header)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	struct flow flow = {};
	struct conn *conn;
	int verdict;

	/* The VLAN's own link has counted it. */
	if (skb->vlan_present)
		return VERDICT_TAGGED;
	verdict = flow_parse(skb, &flow, link_header, DIRECTION_OUT);
	if (verdict) {
		if (verdict == VERDICT_ICMP_ERROR)
			unreachable_count(skb, flow.transport, now);
		return verdict;
	}
	conn = conn_find(&flow.key, now);
	if (!conn)
		return VERDICT_UNKNOWN;
	if (mark_is_refused(skb) || leave_is_ours(&flow, conn))
		return VERDICT_RESET;
	conn_advance(&flow, conn, now);
	stats_count(conn->slot, &flow, 0);
	if (fast_may_learn(skb, &flow) && fast_is_wanted(conn, now))
		fast_learn_down(skb, &flow, now);
	return VERDICT_KNOWN;
}

static __always_inline int to_lan(struct __sk_buff *skb, __u32 link_header)
{
	/* Counted where it came in. */
	if (skb->tc_index == TC_INDEX_FAST)
		return TC_ACT_UNSPEC;
	verdict_count(HOOK_EGRESS, egress(skb, link_header));
	return TC_ACT_UNSPEC;
}

SEC("tc")
int lvsj_egress(struct __sk_buff *skb)
{
	return to_lan(skb, ETH_HLEN);
}

SEC("tc")
int lvsj_egress_ip(struct __sk_buff *skb)
{
	return to_lan(skb, 0);
}

SEC("tc")
int lvsj_uplink_in(struct __sk_buff *skb)
{
	return from_uplink(skb, ETH_HLEN);
}

/* For uplinks without a link header: ppp, wg, tun. */
SEC("tc")
int lvsj_uplink_in_ip(struct __sk_buff *skb)
{
	return from_uplink(skb, 0);
}

/* On a gateway's route: behind all rules, before the link's header. What takes the fast path does not come by. */
SEC("lwt_xmit")
int lvsj_uplink_out(struct __sk_buff *skb)
{
	to_uplink(skb);
	return BPF_OK;
}

static __always_inline int direct(struct __sk_buff *skb, __u32 *gateway)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	__u32 mark = skb->mark;
	struct flow flow = {};
	struct conn *conn;
	enum leave how;
	int verdict;

	if (mark_is_decided(skb))
		return VERDICT_LOOP;
	verdict = flow_parse(skb, &flow, 0, DIRECTION_IN);
	if (verdict)
		return verdict;
	conn = conn_find(&flow.key, now);
	how = conn && !conn_is_reused(&flow, conn) ? leave_decide(&flow, conn) : LEAVE_ENDS;
	/* What no LAN program saw conntrack still knows: its functions are not for programs of routes. */
	if (how == LEAVE_RESETS) {
		leave_close(&flow, conn, now);
		*gateway = GATEWAY_REFUSED;
		return VERDICT_RESET;
	}
	flow.own = skb->tc_index;
	if (how == LEAVE_MOVES)
		return open_connection(&flow, conn, mark, gateway, now);
	if (how == LEAVE_STAYS) {
		__u32 id = gateway_of(conn->slot);

		if (id) {
			if (!tc_index_is_counted(skb->tc_index)) {
				conn_advance(&flow, conn, now);
				stats_count(conn->slot, &flow, 0);
			}
			*gateway = id;
			return VERDICT_KNOWN;
		}
		if (!flow.opens)
			return VERDICT_GATEWAY_GONE;
	}
	if (conn)
		conn_remove(&flow.key, conn);
	return open_connection(&flow, NULL, mark, gateway, now);
}

SEC("lwt_in")
int lvsj_director(struct __sk_buff *skb)
{
	__u32 gateway = GATEWAY_NONE;
	int verdict = direct(skb, &gateway);

	verdict_count(HOOK_DIRECTOR, verdict);
	if (verdict == VERDICT_DROPPED)
		return BPF_DROP;
	mark_set(skb, gateway);
	return BPF_LWT_REROUTE;
}

/*
 * Does what user space wrote into `requests`, then ran this for (BPF_PROG_TEST_RUN): 0 or -1. By it
 * on lvsj0, where no packet comes in, every tool finds the director of its namespace and its maps.
 */
SEC("tc")
int lvsj_control(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct request *request = bpf_map_lookup_elem(&requests, &zero);

	if (!request)
		return -1;
	switch (__sync_lock_test_and_set(&request->kind, 0)) {
	case REQUEST_START:
		return clocks_start();
	case REQUEST_EDITED:
		return edited(request);
	case REQUEST_EXPLAIN:
		explain(request);
		return 0;
	case REQUEST_TAKE_OVER:
		return clocks_take();
	default:
		return 0;
	}
}

char _license[] SEC("license") = "GPL";
