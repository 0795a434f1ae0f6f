/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a connection comes to the fast path: where the stack sends a packet on, it is written down what was
 * done to it. So no rule, route or policy that would have stopped it is passed by, and none is known here.
 *
 *   up:   lvsj_ingress saw the packet first, and what conntrack will make of it; lvsj_uplink_out finds that it did
 *   down: lvsj_uplink_in saw it first; at the LAN link (lvsj_egress) it has its client's address again
 */
#ifndef LVSJ_FAST_LEARN_H
#define LVSJ_FAST_LEARN_H

#include "fast.h"

#define AF_INET 2
#define AF_INET6 10

/* Asks the kernel's routes for this packet. */
static __always_inline long fast_route(struct __sk_buff *skb, struct flow *seen,
				       struct bpf_fib_lookup *fib)
{
	const struct address *from = flow_source(seen), *to = flow_destination(seen);

	fib->family = seen->family == 4 ? AF_INET : AF_INET6;
	fib->l4_protocol = seen->key.protocol;
	fib->ifindex = skb->ingress_ifindex;
	fib->tot_len = 1; /* asks for the route's MTU */
	if (seen->family == 4) {
		fib->ipv4_src = from->word[3];
		fib->ipv4_dst = to->word[3];
	} else {
		__builtin_memcpy(fib->ipv6_src, from, sizeof(*from));
		__builtin_memcpy(fib->ipv6_dst, to, sizeof(*to));
	}
	return bpf_fib_lookup(skb, fib, sizeof(*fib), 0);
}

static __always_inline __u32 fast_link_mtu(struct __sk_buff *skb, __u32 ifindex)
{
	__u32 mtu = 0;

	bpf_check_mtu(skb, ifindex, &mtu, 0, 0);
	return mtu > 0xffff ? 0xffff : mtu;
}

/*
 * The link's own, or for IPv6 what its router's advertisement allows, by which all routes of the link go: asked for
 * the one to the neighbour, for the kernel tells nothing of a route with a program.
 */
static __noinline int fast_uplink_mtu(struct __sk_buff *skb, const struct fast_change *change)
{
	__u32 mtu = fast_link_mtu(skb, change->ifindex);
	struct bpf_fib_lookup fib = {};

	if (change->via_family == AF_INET)
		return mtu;
	fib.family = AF_INET6;
	fib.ifindex = change->ifindex;
	fib.tot_len = 1; /* asks for the route's MTU */
	__builtin_memcpy(fib.ipv6_dst, change->via, sizeof(fib.ipv6_dst));
	if (!bpf_fib_lookup(skb, &fib, sizeof(fib),
			    BPF_FIB_LOOKUP_OUTPUT | BPF_FIB_LOOKUP_DIRECT) &&
	    fib.mtu_result < mtu)
		mtu = fib.mtu_result;
	return mtu;
}

static __always_inline __u32 fast_sum(const struct address *from, const struct address *to)
{
	struct address before = *from, after = *to;
	__s64 sum = bpf_csum_diff(before.word, sizeof(before), after.word, sizeof(after), 0);

	if (sum < 0)
		return 0;
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* What both directions have in common. */
static __always_inline void fast_fill(struct fast *fast, const struct flow *flow,
				      const struct fast_guard *guard, __u64 now)
{
	fast->epoch = guard->epoch;
	fast->checked_ns = now;
	fast->proved_s = now / NS_PER_S;
	fast->dscp = flow->dscp;
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

static __always_inline void fast_store(void *flows, const struct fast *fast, struct conn_key *lan,
				       const struct conn *conn, __u64 now)
{
	fast_put(flows, fast, now);
	/* Who took the connection away in between has not seen it. */
	if ((conn->word & WORD_STATE) == CONN_DEAD)
		fast_forget(lan);
}

static __always_inline const struct gateway *fast_gateway(const struct slot *config,
							  const struct fast_guard *guard)
{
	const struct gateway *gateway = gateway_get(config->gateway);

	return gateway && fast_is_allowed(config, guard) && gateway_works(gateway->flags) ?
		       gateway :
		       NULL;
}

/* Where the link itself is the way the server is the neighbour: so has the stack it, also on links without any. */
static __always_inline void fast_set_via(struct fast_change *change, const struct gateway *gateway,
					 const struct address *server)
{
	const struct address *via = &gateway->via;
	int v4 = address_is_v4(server);

	if (!(v4 ? via->word[3] : via->word[0]))
		via = server;
	change->via_family = v4 ? AF_INET : AF_INET6;
	if (v4)
		change->via[0] = via->word[3];
	else
		__builtin_memcpy(change->via, via, sizeof(*via));
}

/*
 * In lvsj_ingress: what a packet of a connection will be like at the uplink, if the stack lets it through. A
 * global function, as evidence.h's.
 */
__noinline int fast_foresee(struct __sk_buff *skb, struct flow *flow, __u64 now)
{
	const struct fast_guard *guard = fast_guard_get(now);
	struct fast *fast = fast_lesson_get();
	const struct gateway *gateway;
	struct conntrack_view view;
	const struct conn *conn;
	struct slot *config;

	if (!flow || !guard || !fast)
		return 0;
	if (!conntrack_view(skb, &flow->key, DIRECTION_IN, &view) || !view.settled)
		return 0;
	conn = conn_peek(&view.lan, now);
	config = conn ? slot_get(conn->slot) : NULL;
	gateway = config ? fast_gateway(config, guard) : NULL;
	if (!gateway || config->gateway != view.gateway || leave_is_due(conn))
		return 0;
	fast_fill(fast, flow, guard, now);
	fast->key = view.lan;
	fast->ifindex_in = skb->ifindex;
	fast->slot = conn->slot;
	fast->gateway = config->gateway;
	fast->rest = view.left / 2;
	fast->change.ifindex = gateway->ifindex;
	fast->change.to = view.address;
	fast->change.port = view.port;
	fast->change.sum = fast_sum(&view.lan.client, &view.address);
	fast_set_via(&fast->change, gateway, &view.lan.server);
	fast->change.mtu = fast_uplink_mtu(skb, &fast->change);
	return 1;
}

/* Is this the packet that was foreseen on this CPU? seen: as the stack sends it, its client the uplink's. */
static __always_inline int fast_is_foreseen(const struct __sk_buff *skb, const struct flow *seen,
					    const struct fast *fast)
{
	const struct conn_key *key = &fast->key;

	return fast->change.ifindex == skb->ifindex && fast->change.port == seen->key.client_port &&
	       key->server_port == seen->key.server_port && key->protocol == seen->key.protocol &&
	       !address_differs(&fast->change.to, &seen->key.client) &&
	       !address_differs(&key->server, &seen->key.server);
}

/* At the uplink. A global function, as evidence.h's. */
__noinline int fast_learn_up(struct __sk_buff *skb, struct flow *seen, __u64 now)
{
	struct fast *fast = fast_lesson_get();
	void *flows = fast_map(&fast_up);
	const struct conn *conn;
	struct conn_key lan;

	if (!seen || !flows || !fast || !fast_is_foreseen(skb, seen, fast))
		return VERDICT_UNKNOWN;
	lan = fast->key;
	conn = conn_peek(&lan, now);
	if (!conn)
		return VERDICT_UNKNOWN;
	fast->change.mark = skb->mark;
	fast->change.priority = skb->priority;
	fast_store(flows, fast, &lan, conn, now);
	return VERDICT_LEARNT;
}

/* The next hop to the client, by the kernel's routes; 0: it is none that we could send to. */
static __always_inline int fast_next_hop(struct __sk_buff *skb, struct flow *seen,
					 struct fast *fast)
{
	struct fast_change *change = &fast->change;
	struct bpf_fib_lookup fib = {};
	long error = fast_route(skb, seen, &fib);

	if ((error && error != BPF_FIB_LKUP_RET_NO_NEIGH) || fib.ifindex != skb->ifindex)
		return 0;
	if (!error && fib.mtu_result < change->mtu)
		change->mtu = fib.mtu_result;
	change->via_family = fib.family;
	if (fib.family == AF_INET)
		change->via[0] = fib.ipv4_dst;
	else
		__builtin_memcpy(change->via, fib.ipv6_dst, sizeof(change->via));
	return 1;
}

/* At the LAN link. seen: as the LAN sees it. */
__noinline int fast_learn_down(struct __sk_buff *skb, struct flow *seen, __u64 now)
{
	const struct fast_guard *guard = fast_guard_get(now);
	void *up = fast_map(&fast_up), *down = fast_map(&fast_down);
	struct fast fast = {};
	const struct conn *conn;
	const struct fast *other;
	__u32 turn;

	if (!seen || !guard || !up || !down)
		return 0;
	/* By the copy: see fast_forget. */
	fast.key = seen->key;
	conn = conn_peek(&fast.key, now);
	if (!conn || !state_assures(conn->word & WORD_STATE))
		return 0;
	other = fast_lookup(up, &fast.key, &turn);
	if (!other || other->epoch != guard->epoch || other->slot != conn->slot ||
	    other->change.ifindex != skb->ingress_ifindex)
		return 0;
	fast.key.client = other->change.to;
	fast.key.client_port = other->change.port;
	fast.rest = other->rest;
	fast.gateway = other->gateway;
	if (!fast_is_still(other, turn))
		return 0;
	fast_fill(&fast, seen, guard, now);
	fast.ifindex_in = skb->ingress_ifindex;
	fast.change.ifindex = skb->ifindex;
	fast.change.mark = skb->mark;
	fast.change.priority = skb->priority;
	fast.change.mtu = fast_link_mtu(skb, 0);
	fast.slot = conn->slot;
	fast.change.to = seen->key.client;
	fast.change.port = seen->key.client_port;
	fast.change.sum = fast_sum(&fast.key.client, &fast.change.to);
	if (!fast_next_hop(skb, seen, &fast))
		return 0;
	fast_store(down, &fast, &seen->key, conn, now);
	return 1;
}

#endif
