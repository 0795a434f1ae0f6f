/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fast path knows of connections: an entry for each direction, made when the stack has just sent
 * a packet on (fast_learn.h), used by those that follow (fast.h), gone with the connection's own.
 *
 * A hash table of our own, for the kernel's costs as much as all else that the fast path does. Each key has
 * FAST_PLACES places; if all are others' its connection stays on the normal path. User space keeps half of the places
 * free. A writer makes the entry's turn odd while it writes; a reader looks at the turn before and after.
 */
#ifndef LVSJ_FAST_TABLE_H
#define LVSJ_FAST_TABLE_H

#include <bpf/bpf_core_read.h>
#include "flow.h"
#include "maps.h"

/* libbpf finds the member in the running kernel's. */
struct bpf_map {
	__u32 max_entries;
} __attribute__((preserve_access_index));

#define FAST_PLACES 8
#define FAST_PROOF_S 30
#define barrier() asm volatile("" ::: "memory")

/* As many entries as user space wants, a power of two; mmapable ones begin at a cache line. */
struct fast_flows {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	/* Sizes, not types: up to 6.1 a map made without types is none of this kind. */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct fast));
};

/*
 * Where does a packet from the LAN go, and with which source? One map, or none: user space makes it when
 * the fast path is switched on for the first time, and a larger one when there are more connections.
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

/*
 * What lvsj_ingress foresees of a packet, for lvsj_uplink_out: the stack sends it on on the same CPU, and
 * if it is late it is not the one.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fast);
} fast_lessons SEC(".maps");

static __always_inline struct fast *fast_lesson_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&fast_lessons, &zero);
}

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

static __always_inline __u64 fast_hash(const struct conn_key *key)
{
	const __u64 *word = (const __u64 *)key;
	__u32 zero = 0;
	const struct fast_guard *guard = bpf_map_lookup_elem(&fast_guards, &zero);
	__u64 hash = guard ? guard->seed : 0;

	_Static_assert(sizeof(*key) == 40, "the words below");
	for (int i = 0; i < 5; i++) {
		hash = (hash ^ word[i]) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	return hash;
}

static __always_inline int fast_is_of(const struct fast *fast, const struct conn_key *key)
{
	const __u64 *a = (const __u64 *)&fast->key, *b = (const __u64 *)key;

	/* What differs most comes first. */
	return a[4] == b[4] && a[1] == b[1] && a[3] == b[3] && a[0] == b[0] && a[2] == b[2];
}

static __always_inline struct fast *fast_place(void *flows, __u64 hash, __u32 number)
{
	__u32 places = ((struct bpf_map *)flows)->max_entries;
	__u32 index = ((__u32)hash + number * ((__u32)(hash >> 32) | 1)) & (places - 1);

	return bpf_map_lookup_elem(flows, &index);
}

/* The key's entry, or NULL. turn: what fast_is_still() asks for, once the entry has been read. */
static __always_inline struct fast *fast_lookup(void *flows, const struct conn_key *key,
						__u32 *turn)
{
	__u64 hash = fast_hash(key);

#pragma unroll
	for (int i = 0; i < FAST_PLACES; i++) {
		struct fast *fast = fast_place(flows, hash, i);

		if (!fast)
			return NULL;
		*turn = *(volatile __u32 *)&fast->turn;
		barrier();
		if (fast_is_of(fast, key) && !(*turn & 1))
			return fast;
		/* Never anybody's: its key would be here. */
		if (!*turn)
			return NULL;
	}
	return NULL;
}

static __always_inline int fast_is_still(const struct fast *fast, __u32 turn)
{
	barrier();
	return *(volatile __u32 *)&fast->turn == turn;
}

/* 0: somebody else is at it. */
static __always_inline int fast_lock(struct fast *fast)
{
	__u32 turn = *(volatile __u32 *)&fast->turn;

	return !(turn & 1) && __sync_val_compare_and_swap(&fast->turn, turn, turn + 1) == turn;
}

static __always_inline void fast_unlock(struct fast *fast)
{
	__sync_fetch_and_add(&fast->turn, 1);
}

/* Its next packet takes the normal path in any case. */
static __always_inline int fast_is_stale(const struct fast *fast, __u32 epoch, __u64 now)
{
	return !fast->key.protocol || fast->epoch != epoch ||
	       now - fast->checked_ns > FAST_PROOF_S * NS_PER_S;
}

/* Puts an entry where its key has one, else where it is nobody's. */
static __always_inline void fast_put(void *flows, const struct fast *entry, __u64 now)
{
	__u64 hash = fast_hash(&entry->key);
	struct fast *place = NULL;

#pragma unroll
	for (int i = 0; i < FAST_PLACES; i++) {
		struct fast *fast = fast_place(flows, hash, i);

		if (!fast)
			return;
		if (fast_is_of(fast, &entry->key)) {
			place = fast;
			break;
		}
		if (!place && fast_is_stale(fast, entry->epoch, now))
			place = fast;
	}
	if (!place || !fast_lock(place))
		return;
	place->key = entry->key;
	place->epoch = entry->epoch;
	place->checked_ns = entry->checked_ns;
	place->ifindex_in = entry->ifindex_in;
	place->slot = entry->slot;
	place->change = entry->change;
	place->rest = entry->rest;
	place->proved_s = entry->proved_s;
	place->dscp = entry->dscp;
	place->gateway = entry->gateway;
	fast_unlock(place);
}

/*
 * Takes the key's entry away, and says by which address and port it went; 0: there is none. One that is just being
 * written is left to its writer, who looks for the connection's end afterwards.
 */
static __always_inline int fast_clear(void *flows, const struct conn_key *key, struct address *to,
				      __be16 *port)
{
	__u64 hash = fast_hash(key);
	int found = 0;

	/* Each place: two CPUs may have learnt it at the same time. */
#pragma unroll
	for (int i = 0; i < FAST_PLACES; i++) {
		struct fast *fast = fast_place(flows, hash, i);

		if (!fast || !fast_is_of(fast, key) || !fast_lock(fast))
			continue;
		*to = fast->change.to;
		*port = fast->change.port;
		fast->key.protocol = 0;
		fast_unlock(fast);
		found = 1;
	}
	return found;
}

/*
 * The connection has ended. lan: its key, as the LAN sees it. A global function, as evidence.h's; looked up by a
 * copy, for Linux 6.1 takes no argument of one as a map's key.
 */
__noinline int fast_forget(struct conn_key *lan)
{
	void *up = fast_map(&fast_up), *down = fast_map(&fast_down);
	struct conn_key key;
	struct address to = {};
	__be16 port = 0;

	if (!lan || !up || !down)
		return 0;
	key = *lan;
	if (!fast_clear(up, &key, &to, &port))
		return 0;
	key.client = to;
	key.client_port = port;
	fast_clear(down, &key, &to, &port);
	return 1;
}

#endif
