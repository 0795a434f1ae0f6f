/* SPDX-License-Identifier: GPL-2.0 */
/* Every map: the question it answers, who writes it. Sizes are set at load by director.ts. */
#ifndef LVSJ_MAPS_H
#define LVSJ_MAPS_H

#include "abi.h"

/*
 * One shard of the connection table. Entries are made on demand. (Sizes instead of types:
 * clang 14 leaves the types of inner maps out of the BTF.)
 */
struct conn_shard {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 32768);
	__uint(key_size, sizeof(struct conn_key));
	__uint(value_size, sizeof(struct conn));
};

/* Which gateway does this connection have? Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, SHARDS);
	__type(key, __u32);
	__array(values, struct conn_shard);
} connections SEC(".maps");

struct service_config {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct service));
};

/*
 * Which service has this fwmark? An entry for each of its tiers. User space writes. The value is a
 * map, for the kernel swaps it atomically and returns only when no packet can still see the old one.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, MAX_SERVICES);
	__type(key, struct service_key);
	__array(values, struct service_config);
} services SEC(".maps");

/* Where do rr and wrr stand? Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SERVICES);
	__type(key, __u32);
	__type(value, struct service_cursor);
} service_cursors SEC(".maps");

/* What is this gateway of this service set to? User space writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct slot);
} slots SEC(".maps");

/* How many connections does it have now? Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct slot_counts);
} slot_counts SEC(".maps");

/* How much went through it? Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct slot_stats);
} slot_stats SEC(".maps");

/* How fast? The rate timer writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct slot_rates);
} slot_rates SEC(".maps");

/* Which next hop and link has this gateway id? User space writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_GATEWAYS + 2);
	__type(key, __u32);
	__type(value, struct gateway);
} gateways SEC(".maps");

struct mh_config {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct mh_table));
};

/* mh: which gateway does a hash fall to? By service.index. User space swaps them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MAX_SERVICES);
	__type(key, __u32);
	__array(values, struct mh_config);
} mh_tables SEC(".maps");

/* lblc, lblcr: where do connections to this server go? Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SERVER_CHOICES);
	__type(key, struct server_key);
	__type(value, struct server_choice);
} server_choices SEC(".maps");

/* How many bytes went through this gateway? Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_GATEWAYS + 2);
	__type(key, __u32);
	__type(value, struct gateway_bytes);
} gateway_bytes SEC(".maps");

/* How busy and how far is it? The load timer and packets write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MAX_GATEWAYS + 2);
	__type(key, __u32);
	__type(value, struct gateway_load);
} gateway_loads SEC(".maps");

/* Do packets get answers through it? Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, MAX_GATEWAYS + 2);
	__type(key, __u32);
	__type(value, struct gateway_evidence);
} gateway_evidence SEC(".maps");

/* Timeouts and bounds. User space writes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
} settings SEC(".maps");

/* How full is the table? Programs write. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct table_counts);
} table_counts SEC(".maps");

/* How did packets leave each program? Index: hook * VERDICTS + verdict. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VERDICT_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} verdicts SEC(".maps");

/* What does user space ask of lvsj_control? */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct request);
} requests SEC(".maps");

/*
 * The rest is user space's own book-keeping, kept here so that every tool finds it
 * where the director is; no program reads it.
 */

/* What had a slot counted when it was zeroed (-Z)? */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SLOTS);
	__type(key, __u32);
	__type(value, struct slot_stats);
} slot_zeros SEC(".maps");

/* What of the namespace did we change? Numbered in order. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct remembered);
} memory SEC(".maps");

/* Which configuration is applied? */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct applied_key);
	__type(value, struct applied_part);
} applied SEC(".maps");

/*
 * From which object file are these programs? Its SHA-256. The one map that an upgrade makes anew: it comes
 * and goes with lvsj_control, so that it says of the programs what is true of them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 32);
} object SEC(".maps");

/*
 * 0, which the verifier can't know. Before Linux 6.7 (seen on Debian's 6.1) it walks a callback of
 * bpf_loop as in the first round only: what a 0 known then makes unreachable, it deletes. So what
 * a callback changes and compares must begin with a 0 that could be anything.
 */
volatile __u32 opaque_zero;

/* The look-ups that schedulers and counters need; test/host has its own of them. */
static __always_inline struct slot *slot_get(__u32 slot)
{
	return bpf_map_lookup_elem(&slots, &slot);
}

static __always_inline struct slot_counts *slot_counts_get(__u32 slot)
{
	return bpf_map_lookup_elem(&slot_counts, &slot);
}

static __always_inline const struct gateway *gateway_get(__u32 gateway)
{
	return bpf_map_lookup_elem(&gateways, &gateway);
}

static __always_inline struct gateway_load *gateway_load_get(__u32 gateway)
{
	return bpf_map_lookup_elem(&gateway_loads, &gateway);
}

static __always_inline const struct mh_table *mh_table_get(const struct service *service)
{
	__u32 index = service->index, zero = 0;
	void *config = bpf_map_lookup_elem(&mh_tables, &index);

	return config ? bpf_map_lookup_elem(config, &zero) : NULL;
}

static __always_inline struct server_choice *server_choice_get(const struct server_key *key)
{
	return bpf_map_lookup_elem(&server_choices, key);
}

/* The entry of a server, made if there is room. */
static __always_inline struct server_choice *server_choice_make(const struct server_key *key)
{
	static const struct server_choice empty;

	bpf_map_update_elem(&server_choices, key, &empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(&server_choices, key);
}

static long server_choice_forget(void *map, struct server_key *key, struct server_choice *choice,
				 struct service_key *service)
{
	/* A copy: the map's own key goes with the entry. */
	struct server_key gone = *key;

	if (gone.service.fwmark == service->fwmark && gone.service.family == service->family &&
	    gone.service.tier == service->tier)
		bpf_map_delete_elem(&server_choices, &gone);
	return 0;
}

/* All entries of one tier of a service. */
static __always_inline void server_choices_forget(const struct service *service)
{
	struct service_key key = service->key;

	bpf_for_each_map_elem(&server_choices, server_choice_forget, &key, 0);
}

static __always_inline __u64 sched_now(void)
{
	return bpf_ktime_get_coarse_ns();
}

static __always_inline struct settings *settings_get(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&settings, &zero);
}

#endif
