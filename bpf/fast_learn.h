/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a connection comes to the fast path: where the stack sends a packet on, it is written down what was
 * done to it. So no rule, route or policy that would have stopped it is passed by, and none is known here.
 *
 *   up:   lvsj_ingress saw the packet first; at the uplink (lvsj_uplink_out) it has its new source
 *   down: lvsj_uplink_in saw it first; at the LAN link (lvsj_egress) it has its client's address again
 */
#ifndef LVSJ_FAST_LEARN_H
#define LVSJ_FAST_LEARN_H

#include "fast.h"

#define AF_INET 2
#define AF_INET6 10

/* Asks the kernel's routes for this packet. ifindex: where it came from, or with BPF_FIB_LOOKUP_OUTPUT goes. */
static __always_inline long fast_route(struct __sk_buff *skb, struct flow *seen,
				       struct bpf_fib_lookup *fib, __u32 ifindex, __u32 flags)
{
	const struct address *from = flow_source(seen), *to = flow_destination(seen);

	fib->family = seen->family == 4 ? AF_INET : AF_INET6;
	fib->l4_protocol = seen->key.protocol;
	fib->ifindex = ifindex;
	fib->tot_len = 1; /* asks for the route's MTU */
	if (seen->family == 4) {
		fib->ipv4_src = from->word[3];
		fib->ipv4_dst = to->word[3];
	} else {
		__builtin_memcpy(fib->ipv6_src, from, sizeof(*from));
		__builtin_memcpy(fib->ipv6_dst, to, sizeof(*to));
	}
	return bpf_fib_lookup(skb, fib, sizeof(*fib), flags);
}

static __always_inline __u32 fast_link_mtu(struct __sk_buff *skb)
{
	__u32 mtu = 0;

	bpf_check_mtu(skb, 0, &mtu, 0, 0);
	return mtu > 0xffff ? 0xffff : mtu;
}

/* The link's own, or what a route by it, or its router's advertisement, allows. */
static __noinline int fast_uplink_mtu(struct __sk_buff *skb, struct flow *seen)
{
	struct bpf_fib_lookup fib = {};
	__u32 mtu = fast_link_mtu(skb);

	if (!fast_route(skb, seen, &fib, skb->ifindex, BPF_FIB_LOOKUP_OUTPUT) &&
	    fib.mtu_result < mtu)
		mtu = fib.mtu_result;
	return mtu;
}

static __always_inline __u32 fast_sum(const struct address *from, const struct address *to)
{
	struct address before = *from, after = *to;
	__s64 sum = bpf_csum_diff(before.word, sizeof(before), after.word, sizeof(after), 0);

	return sum < 0 ? 0 : sum;
}

/* What both directions have in common. seen: the packet as it was when the stack was done with it. */
static __always_inline void fast_fill(struct fast *fast, struct __sk_buff *skb,
				      const struct flow *seen, const struct fast_guard *guard,
				      __u64 now)
{
	fast->nonce = bpf_get_prandom_u32();
	fast->epoch = guard->epoch;
	fast->checked_ns = now;
	fast->proved_s = now / NS_PER_S;
	fast->ifindex_in = skb->ingress_ifindex;
	fast->change.ifindex = skb->ifindex;
	fast->change.mark = skb->mark;
	fast->change.priority = skb->priority;
	fast->dscp = seen->dscp;
}

/* Its connection may take the fast path, and does not yet. */
static __always_inline int fast_is_wanted(const struct conn *conn, __u64 now)
{
	const struct fast_guard *guard = fast_guard_get(now);
	struct slot *config = slot_get(conn->slot);

	return guard && config && fast_is_allowed(config, guard) &&
	       state_assures(conn->word & WORD_STATE);
}

/* Who saw it first takes it for one to learn by, and the stack has changed nothing else. */
static __always_inline int fast_may_learn(const struct __sk_buff *skb, const struct flow *seen)
{
	return tc_index_learns(skb->tc_index) && fast_fits(seen) &&
	       (skb->tc_index & TC_INDEX_DSCP) == seen->dscp;
}

static __always_inline void fast_store(void *flows, const struct conn_key *key,
				       const struct fast *fast, struct conn_key *lan,
				       const struct conn *conn)
{
	bpf_map_update_elem(flows, key, fast, BPF_ANY);
	/* Who took the connection away in between has not seen it. */
	if ((conn->word & WORD_STATE) == CONN_DEAD)
		fast_forget(lan);
}

static __always_inline const struct gateway *
fast_gateway(const struct slot *config, const struct fast_guard *guard, __u32 ifindex)
{
	const struct gateway *gateway = gateway_get(config->gateway);

	if (!fast_is_allowed(config, guard) || !gateway || gateway->ifindex != ifindex ||
	    !gateway_works(gateway->flags))
		return NULL;
	return gateway;
}

static __always_inline void fast_set_via(struct fast_change *change, const struct address *via)
{
	if (address_is_v4(via)) {
		change->via_family = via->word[3] ? AF_INET : 0;
		change->via[0] = via->word[3];
	} else if (via->word[0]) {
		change->via_family = AF_INET6;
		__builtin_memcpy(change->via, via, sizeof(*via));
	}
}

/* At the uplink. seen: client is the address that the uplink knows. A global function, as evidence.h's. */
__noinline int fast_learn_up(struct __sk_buff *skb, struct flow *seen, __u64 now)
{
	const struct fast_guard *guard = fast_guard_get(now);
	void *flows = fast_map(&fast_up);
	const struct gateway *gateway;
	struct conntrack_view view;
	struct fast fast = {};
	const struct conn *conn;
	struct slot *config;

	if (!seen || !guard || !flows)
		return VERDICT_UNKNOWN;
	if (!conntrack_view(skb, &seen->key, DIRECTION_OUT, &view) || !view.settled ||
	    view.port != seen->key.client_port || address_differs(&view.address, &seen->key.client))
		return VERDICT_UNKNOWN;
	conn = conn_peek(&view.lan, now);
	if (!conn || !state_assures(conn->word & WORD_STATE))
		return VERDICT_UNKNOWN;
	config = slot_get(conn->slot);
	gateway = config ? fast_gateway(config, guard, skb->ifindex) : NULL;
	if (!gateway || config->gateway != view.gateway || leave_is_due(conn))
		return VERDICT_UNKNOWN;
	fast_fill(&fast, skb, seen, guard, now);
	fast.mtu = fast_uplink_mtu(skb, seen);
	fast.slot = conn->slot;
	fast.rest = view.left / 2;
	fast.change.to = view.address;
	fast.change.port = view.port;
	fast.change.sum = fast_sum(&view.lan.client, &view.address);
	fast_set_via(&fast.change, &gateway->via);
	fast_store(flows, &view.lan, &fast, &view.lan, conn);
	return VERDICT_LEARNT;
}

/* The next hop to the client, by the kernel's routes; 0: it is none that we could send to. */
static __always_inline int fast_next_hop(struct __sk_buff *skb, struct flow *seen,
					 struct fast *fast)
{
	struct fast_change *change = &fast->change;
	struct bpf_fib_lookup fib = {};
	long error = fast_route(skb, seen, &fib, skb->ingress_ifindex, 0);

	if ((error && error != BPF_FIB_LKUP_RET_NO_NEIGH) || fib.ifindex != skb->ifindex)
		return 0;
	if (!error && fib.mtu_result < fast->mtu)
		fast->mtu = fib.mtu_result;
	change->via_family = fib.family;
	if (fib.family == AF_INET)
		change->via[0] = fib.ipv4_dst;
	else
		__builtin_memcpy(change->via, fib.ipv6_dst, sizeof(change->via));
	return 1;
}

/* At the LAN link. seen: as the LAN sees it. */
__noinline int fast_learn_down(struct __sk_buff *skb, struct flow *seen, __u32 link_header,
			       __u64 now)
{
	const struct fast_guard *guard = fast_guard_get(now);
	void *up = fast_map(&fast_up), *down = fast_map(&fast_down);
	struct fast fast = {};
	const struct conn *conn;
	const struct fast *other;
	struct conn_key key;

	if (!seen || !guard || !up || !down)
		return 0;
	key = seen->key;
	conn = conn_peek(&key, now);
	if (!conn || !state_assures(conn->word & WORD_STATE))
		return 0;
	/* By the copy: see fast_forget. */
	other = bpf_map_lookup_elem(up, &key);
	if (!other || other->epoch != guard->epoch || other->slot != conn->slot ||
	    other->change.ifindex != skb->ingress_ifindex)
		return 0;
	key.client = other->change.to;
	key.client_port = other->change.port;
	fast.rest = other->rest;
	fast_fill(&fast, skb, seen, guard, now);
	fast.mtu = fast_link_mtu(skb);
	fast.slot = conn->slot;
	fast.change.to = seen->key.client;
	fast.change.port = seen->key.client_port;
	fast.change.sum = fast_sum(&key.client, &fast.change.to);
	if (link_header && !fast_next_hop(skb, seen, &fast))
		return 0;
	fast_store(down, &key, &fast, &seen->key, conn);
	return 1;
}

#endif
