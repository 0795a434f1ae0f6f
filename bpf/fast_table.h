/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fast path knows of connections: an entry for each direction, made when the stack has just sent
 * a packet on (fast_learn.h), used by those that follow (fast.h), gone with the connection's own.
 */
#ifndef LVSJ_FAST_TABLE_H
#define LVSJ_FAST_TABLE_H

#include "maps.h"

struct fast_flows {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 32768);
	__uint(key_size, sizeof(struct conn_key));
	__uint(value_size, sizeof(struct fast));
};

/*
 * Where does a packet from the LAN go, and with which source? One map, or none: user space makes it when
 * the fast path is switched on for the first time, for its buckets alone are megabytes.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct fast_flows);
} fast_up SEC(".maps");

/* Whose is a packet from an uplink? The key's client is the address that the uplink knows. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(values, struct fast_flows);
} fast_down SEC(".maps");

/* Until when may packets pass the stack by? The daemon writes, again and again. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fast_guard);
} fast_guards SEC(".maps");

/* NULL while nobody watches over what the fast path passes by. */
static __always_inline const struct fast_guard *fast_guard_get(__u64 now)
{
	__u32 zero = 0;
	const struct fast_guard *guard = bpf_map_lookup_elem(&fast_guards, &zero);

	return guard && now < guard->until_ns ? guard : NULL;
}

static __always_inline void *fast_map(void *maps)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(maps, &zero);
}

/*
 * The connection has ended. lan: its key, as the LAN sees it. A global function, as evidence.h's; looked up by a
 * copy, for Linux 6.1 takes no argument of one as a map's key.
 */
__noinline int fast_forget(struct conn_key *lan)
{
	void *up = fast_map(&fast_up), *down = fast_map(&fast_down);
	const struct fast *fast;
	struct conn_key key;
	struct address to;
	__be16 port;

	if (!lan || !up || !down)
		return 0;
	key = *lan;
	fast = bpf_map_lookup_elem(up, &key);
	if (!fast)
		return 0;
	to = fast->change.to;
	port = fast->change.port;
	bpf_map_delete_elem(up, &key);
	key.client = to;
	key.client_port = port;
	bpf_map_delete_elem(down, &key);
	return 1;
}

#endif
