/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fast path: a packet in the middle of a connection is rewritten and sent out at once, without
 * netfilter and routing. What is done to it the stack has done to one before: fast_learn.h.
 *
 * All that is odd takes the normal path, which is always right: SYN, FIN, RST, options, fragments, too
 * long for the next link, about to die of its TTL, another DSCP. So does one packet each FAST_PROOF_S, one
 * whenever half of conntrack's time is over, and all while the gateway is down or the guard's epoch is
 * another. conntrack can't follow TCP's numbers meanwhile: src/kernel/fastpath.ts has it be liberal.
 */
#ifndef LVSJ_FAST_H
#define LVSJ_FAST_H

#include "conntrack.h"
#include "fast_parse.h"
#include "fast_table.h"
#include "leave.h"
#include "mark.h"
#include "stats.h"

#define KEEP_SHIFT \
	33 /* each 8.6 seconds: with what passes between two checks well within FAST_PROOF_S */
#define TTL_OFFSET 8 /* of IPv4, and of what follows it: protocol, checksum */
#define TCP_LENGTH_OFFSET 12
#define TCP_CHECK_OFFSET 16
#define UDP_CHECK_OFFSET 6

/* Neither first nor last nor odd. */
static __always_inline int fast_fits(const struct flow *flow)
{
	if (!flow->plain || flow->ttl <= 1)
		return 0;
	return flow->key.protocol == IPPROTO_UDP ||
	       (flow->key.protocol == IPPROTO_TCP &&
		(flow->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK);
}

/* Of the longest that goes on the wire: behind GRO a packet stands for several. */
static __always_inline __u32 fast_length(struct __sk_buff *skb, const struct flow *flow)
{
	__u32 header = flow->transport - flow->start, gso = skb->gso_size;
	__u8 words = 0;

	if (!gso)
		return flow->length;
	if (flow->key.protocol == IPPROTO_UDP)
		return header + UDP_HEADER + gso;
	if (bpf_skb_load_bytes(skb, flow->transport + TCP_LENGTH_OFFSET, &words, sizeof(words)))
		return ~0U;
	return header + (words >> 4) * 4 + gso;
}

static __always_inline int fast_is_allowed(const struct slot *config,
					   const struct fast_guard *guard)
{
	return config->fastpath == FASTPATH_ON ||
	       (config->fastpath == FASTPATH_CAREFUL && !guard->careful);
}

/* Does conntrack translate to what the packet would get? */
static __always_inline int fast_is_same(const struct flow *flow, const struct fast *fast,
					const struct conntrack_view *view)
{
	int up = flow->direction == DIRECTION_IN;
	const struct address *to = up ? &view->address : &view->lan.client;
	__be16 port = up ? view->port : view->lan.client_port;

	return port == fast->change.port && !address_differs(to, &fast->change.to);
}

/*
 * While packets come down the other direction's entry must not give way to another's: by it fast_forget() finds both.
 * One that is used is left to look for itself: after conntrack -D its packet makes conntrack know the connection
 * again, an answer that comes first can't.
 */
static __always_inline int fast_keep_up(const struct conn_key *lan, __u32 epoch, __u64 now)
{
	void *flows = fast_map(&fast_up);
	struct fast *up;
	__u32 turn;

	up = flows ? fast_lookup(flows, lan, &turn) : NULL;
	if (!up || up->epoch != epoch)
		return 0;
	if (now - up->checked_ns > FAST_PROOF_S * NS_PER_S / 3)
		up->checked_ns = now;
	return 1;
}

/*
 * Once in a while: does conntrack still know the connection, by the same addresses and with time left, and
 * does our table? It lives on there as long as packets come. A global function, as evidence.h's.
 */
__noinline int fast_check(struct __sk_buff *skb, struct flow *flow, struct fast *fast, __u64 now)
{
	const struct fast_guard *guard = fast_guard_get(now);
	struct conntrack_view view;
	struct slot *config;
	struct conn *conn;

	if (!flow || !fast)
		return 0;
	config = slot_get(fast->slot);
	if (!guard || !config || !fast_is_allowed(config, guard) ||
	    (__u16)(now / NS_PER_S - fast->proved_s) >= FAST_PROOF_S)
		return 0;
	if (!conntrack_view(skb, &flow->key, flow->direction, &view) || !view.settled ||
	    view.gateway != config->gateway || (__s32)(view.left - fast->rest) < 0 ||
	    !fast_is_same(flow, fast, &view))
		return 0;
	conn = conn_find(&view.lan, now);
	if (!conn || conn->slot != fast->slot || leave_is_due(conn))
		return 0;
	if (flow->direction == DIRECTION_OUT && (now ^ fast->checked_ns) >> KEEP_SHIFT &&
	    !fast_keep_up(&view.lan, guard->epoch, now))
		return 0;
	conn->seen_ns = now;
	fast->checked_ns = now;
	return 1;
}

static __always_inline int fast_gateway_works(__u32 id)
{
	const struct gateway *gateway = gateway_get(id);

	return gateway && gateway_works(gateway->flags);
}

static __always_inline int fast_holds(struct __sk_buff *skb, const struct flow *flow,
				      const struct fast *fast, __u32 epoch)
{
	return fast->epoch == epoch && fast->ifindex_in == skb->ifindex &&
	       fast->dscp == flow->dscp && fast_length(skb, flow) <= fast->change.mtu &&
	       fast_gateway_works(fast->gateway);
}

/* 16 bits of a checksum, in which 32 were exchanged whose difference is `sum`, and a byte more or less. */
static __always_inline __u16 fast_ip_check(__u16 check, __u32 sum, __u16 before, __u16 after)
{
	__u64 total = (__u64)(__u16)~check + sum + (__u16)~before + after;

	total = (total & 0xffff) + (total >> 16);
	total = (total & 0xffff) + (total >> 16);
	return ~total;
}

/* One hop less, and the other address. 0, or -1: nothing was changed. */
static __always_inline int fast_rewrite_ip(struct __sk_buff *skb, __u32 at, const struct flow *flow,
					   const struct fast_change *change, int direction)
{
	void *header = (void *)(long)skb->data + at, *end = (void *)(long)skb->data_end;
	int up = direction == DIRECTION_IN;

	if (flow->family == 4) {
		struct iphdr *ip = header;
		__u16 *hops = header + TTL_OFFSET, before;

		if ((void *)(ip + 1) > end)
			return -1;
		before = *hops;
		ip->ttl--;
		ip->check = fast_ip_check(ip->check, change->sum, before, *hops);
		*(up ? &ip->saddr : &ip->daddr) = change->to.word[3];
	} else {
		struct ipv6hdr *ip = header;

		if ((void *)(ip + 1) > end)
			return -1;
		ip->hop_limit--;
		__builtin_memcpy(up ? &ip->saddr : &ip->daddr, &change->to, sizeof(change->to));
	}
	return 0;
}

/* IPv4 allows UDP without a checksum: then there is none to change. */
static __always_inline int fast_has_no_sum(const struct __sk_buff *skb, __u32 check, int tcp)
{
	const __be16 *sum = (void *)(long)skb->data + check;

	return !tcp && (void *)(sum + 1) <= (void *)(long)skb->data_end && !*sum;
}

/* The packet as the stack would send it. 0, or -1: nothing was changed. */
static __always_inline int fast_rewrite(struct __sk_buff *skb, __u32 start, const struct flow *flow,
					const struct fast_change *change, int direction)
{
	int tcp = flow->key.protocol == IPPROTO_TCP;
	__u32 at = start + (flow->family == 4 ? IPV4_HEADER : IPV6_HEADER);
	__u32 check = at + (tcp ? TCP_CHECK_OFFSET : UDP_CHECK_OFFSET);
	/* 0 stays 0. */
	__u64 flags = tcp ? 0 : BPF_F_MARK_MANGLED_0;
	__be16 port = flow->key.client_port;
	void *ports;

	if ((void *)(long)skb->data + at + UDP_HEADER > (void *)(long)skb->data_end &&
	    bpf_skb_pull_data(skb, at + UDP_HEADER))
		return -1;
	if (change->sum && !fast_has_no_sum(skb, check, tcp) &&
	    bpf_l4_csum_replace(skb, check, 0, change->sum, BPF_F_PSEUDO_HDR | flags))
		return -1;
	if (port != change->port &&
	    bpf_l4_csum_replace(skb, check, port, change->port, flags | sizeof(port)))
		return -1;
	if (fast_rewrite_ip(skb, start, flow, change, direction))
		return -1;
	ports = (void *)(long)skb->data + at;
	if (port != change->port && ports + 4 <= (void *)(long)skb->data_end)
		((__be16 *)ports)[direction == DIRECTION_IN ? 0 : 1] = change->port;
	return 0;
}

/* Out by the link, with the neighbour that the kernel knows for the next hop. */
static __always_inline int fast_send(struct __sk_buff *skb, struct fast_change *change)
{
	skb->mark = change->mark;
	skb->priority = change->priority;
	skb->tc_index = TC_INDEX_FAST;
	return bpf_redirect_neigh(change->ifindex, (struct bpf_redir_neigh *)&change->via_family,
				  sizeof(struct bpf_redir_neigh), 0);
}

/* What its entry makes of the packet; NULL: nothing, for the stack might make something else of it. */
static __always_inline struct fast *fast_find(struct __sk_buff *skb, struct flow *flow, void *flows,
					      struct fast_change *change, __u32 start,
					      int direction, __u64 now)
{
	const struct fast_guard *guard = fast_guard_get(now);
	struct fast *fast;
	__u32 turn;

	flow->learns = guard && flows && fast_parse(skb, flow, start, direction) && fast_fits(flow);
	if (!flow->learns)
		return NULL;
	fast = fast_lookup(flows, &flow->key, &turn);
	if (!fast)
		return NULL;
	*change = fast->change;
	if (!fast_holds(skb, flow, fast, guard->epoch))
		return NULL;
	if (now - fast->checked_ns >= guard->check_ns && !fast_check(skb, flow, fast, now))
		return NULL;
	return fast_is_still(fast, turn) ? fast : NULL;
}

/*
 * Sends the packet if its connection is on the fast path: TC_ACT_REDIRECT. Else TC_ACT_UNSPEC, and
 * flow->learns says whether it may be the one that teaches it.
 */
static __always_inline int fast_take(struct __sk_buff *skb, struct flow *flow, void *flows,
				     __u32 link_header, int direction, __u64 now)
{
	/* As constants: the verifier must know bounds of pointers. */
	__u32 start = link_header;
	struct fast_change change;
	struct fast *fast = fast_find(skb, flow, flows, &change, link_header, direction, now);

	if (!fast)
		return TC_ACT_UNSPEC;
	/* The kernel takes a link header off before it puts the neighbour's on, if any. */
	if (!link_header) {
		if (bpf_skb_change_head(skb, ETH_HLEN, 0))
			return TC_ACT_UNSPEC;
		start += ETH_HLEN;
	}
	if (fast_rewrite(skb, start, flow, &change, direction))
		return TC_ACT_UNSPEC;
	stats_add(fast->slot, fast->gateway, flow, direction, 0);
	return fast_send(skb, &change);
}

#endif
