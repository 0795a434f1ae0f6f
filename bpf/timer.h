/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happens with no packet and no daemon: entries expire, rates are averaged.
 *
 * One timer for the whole table, not one a connection: a kernel timer object is larger than
 * our whole entry. It walks one shard at a time, each every two seconds: look-ups see an expired
 * entry as gone in any case, and what a walk costs are the empty buckets.
 */
#ifndef LVSJ_TIMER_H
#define LVSJ_TIMER_H

#include "conn.h"

#define SWEEP_NS (2 * NS_PER_S / SHARDS)
/* Entries that one walk takes away at most, and when it goes on then: some 2 ms in one go. */
#define SWEEP_ENTRIES 2048
#define SWEEP_AGAIN_NS (NS_PER_S / 200)
#define RATE_NS (2 * NS_PER_S)
/* IPVS's bounds for lblc: beyond so many servers, one may be forgotten after six minutes. */
#define SERVERS_NS (60 * NS_PER_S)
#define SERVERS_CROWDED 16384
#define SERVERS_CROWDED_NS (360 * NS_PER_S)
#define CLOCK_MONOTONIC 1

enum clock {
	CLOCK_SWEEP = 0,
	CLOCK_RATE = 1,
	CLOCK_LOAD = 2,
	CLOCK_SERVERS = 3,
	CLOCKS = 4,
};

struct ticker {
	struct bpf_timer timer;
	__u32 shard; /* sweep: next to walk */
	__u32 gone; /* sweep: entries that this walk took away */
	__u32 seen; /* servers: that the newest walk met */
	__u32 crowded; /* servers: the walk before met too many */
};

/*
 * The timers. The kernel cancels a map's timers when user space holds it no more, so this map
 * (alone) is pinned: see src/kernel/pin.ts.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CLOCKS);
	__type(key, __u32);
	__type(value, struct ticker);
} clocks SEC(".maps");

struct sweep {
	__u64 now;
	struct ticker
		*ticker; /* counts in the map: the verifier would follow a count on the stack */
};

static long sweep_entry(void *shard, struct conn_key *key, struct conn *conn, struct sweep *sweep)
{
	/* A copy: the map's own key goes with the entry. */
	struct conn_key gone = *key;

	if (!conn_expired(conn, key->protocol, sweep->now))
		return 0;
	conn_expire(shard, &gone, conn);
	return ++sweep->ticker->gone >= SWEEP_ENTRIES;
}

static int clock_sweep(void *map, __u32 *key, struct ticker *ticker)
{
	__u32 zero = 0, at = ticker->shard % SHARDS;
	struct table_counts *counts = bpf_map_lookup_elem(&table_counts, &zero);
	struct sweep sweep = { .now = bpf_ktime_get_coarse_ns(), .ticker = ticker };
	void *shard = bpf_map_lookup_elem(&connections, &at);
	/* An empty table lets the CPU sleep. */
	__u64 next = NS_PER_S;

	if (shard && counts && counts->entries) {
		ticker->gone = 0;
		bpf_for_each_map_elem(shard, sweep_entry, &sweep, 0);
		ticker->shard = ticker->gone < SWEEP_ENTRIES ? at + 1 : at;
		next = ticker->gone < SWEEP_ENTRIES ? SWEEP_NS : SWEEP_AGAIN_NS;
	}
	if (counts)
		counts->sweeps++;
	bpf_timer_start(&ticker->timer, next, 0);
	return 0;
}

/* IPVS's estimator: averages move a quarter of the way each 2 s, in fixed point. */
static __always_inline void rate_move(__u64 *average, __u64 *last, __u64 sum, int shift)
{
	*average += (__s64)(((sum - *last) << shift) - *average) >> 2;
	*last = sum;
}

struct rate_sum {
	struct slot_stats stats;
	__u32 slot;
};

static long rate_add(__u32 cpu, struct rate_sum *sum)
{
	struct slot_stats *stats = bpf_map_lookup_percpu_elem(&slot_stats, &sum->slot, cpu);

	if (!stats)
		return 1;
	sum->stats.connections += stats->connections;
	sum->stats.in_packets += stats->in_packets;
	sum->stats.out_packets += stats->out_packets;
	sum->stats.in_bytes += stats->in_bytes;
	sum->stats.out_bytes += stats->out_bytes;
	return 0;
}

static long rate_slot(__u32 slot, __u32 *cpus)
{
	struct rate_sum sum = { .slot = slot };
	struct slot_rates *rates = bpf_map_lookup_elem(&slot_rates, &slot);

	if (!rates)
		return 1;
	bpf_loop(*cpus, rate_add, &sum, 0);
	rate_move(&rates->average.connections, &rates->last.connections, sum.stats.connections, 9);
	rate_move(&rates->average.in_packets, &rates->last.in_packets, sum.stats.in_packets, 9);
	rate_move(&rates->average.out_packets, &rates->last.out_packets, sum.stats.out_packets, 9);
	rate_move(&rates->average.in_bytes, &rates->last.in_bytes, sum.stats.in_bytes, 4);
	rate_move(&rates->average.out_bytes, &rates->last.out_bytes, sum.stats.out_bytes, 4);
	return 0;
}

static int clock_rate(void *map, __u32 *key, struct ticker *ticker)
{
	struct settings *settings = settings_get();
	__u32 cpus = settings ? settings->cpus : 0;

	if (settings)
		bpf_loop(settings->slots_used, rate_slot, &cpus, 0);
	bpf_timer_start(&ticker->timer, RATE_NS, 0);
	return 0;
}

struct load_sum {
	struct gateway_bytes bytes;
	__u32 gateway;
};

static long load_add(__u32 cpu, struct load_sum *sum)
{
	struct gateway_bytes *bytes =
		bpf_map_lookup_percpu_elem(&gateway_bytes, &sum->gateway, cpu);

	if (!bytes)
		return 1;
	sum->bytes.down += bytes->down;
	sum->bytes.up += bytes->up;
	return 0;
}

static long load_gateway(__u32 id, __u32 *cpus)
{
	struct load_sum sum = { .gateway = id };
	struct gateway *gateway = bpf_map_lookup_elem(&gateways, &id);
	struct gateway_load *load = gateway_load_get(id);

	if (!gateway || !load)
		return 1;
	if (!(gateway->flags & GATEWAY_PRESENT))
		return 0;
	bpf_loop(*cpus, load_add, &sum, 0);
	lbw_move(gateway, load, &sum.bytes);
	lrtt_move(load);
	return 0;
}

static int clock_load(void *map, __u32 *key, struct ticker *ticker)
{
	struct settings *settings = settings_get();
	__u32 cpus = settings ? settings->cpus : 0;

	bpf_loop(MAX_GATEWAYS + 1, load_gateway, &cpus, 0);
	bpf_timer_start(&ticker->timer, LBW_STEP_NS, 0);
	return 0;
}

/* Servers that lblc may forget: after a day, or sooner if there are many. */
static long server_sweep(void *map, struct server_key *key, struct server_choice *choice,
			 struct sweep *sweep)
{
	struct ticker *ticker = sweep->ticker;
	struct server_key gone = *key;
	__s64 most = ticker->crowded ? SERVERS_CROWDED_NS : LBLC_EXPIRATION_NS;

	ticker->seen++;
	if (lblc_age(choice->seen_ns, sweep->now) < most)
		return 0;
	bpf_map_delete_elem(&server_choices, &gone);
	return 0;
}

static int clock_servers(void *map, __u32 *key, struct ticker *ticker)
{
	struct sweep sweep = { .now = bpf_ktime_get_coarse_ns(), .ticker = ticker };

	/* As many as the walk before this one has seen. */
	ticker->crowded = ticker->seen > SERVERS_CROWDED;
	ticker->seen = 0;
	bpf_for_each_map_elem(&server_choices, server_sweep, &sweep, 0);
	bpf_timer_start(&ticker->timer, SERVERS_NS, 0);
	return 0;
}

/* Starts one; again after a lost pin. 0 or -1. A callback must be known at compile time. */
#define clock_start(clock, callback, first_ns)                                         \
	({                                                                             \
		__u32 at = (clock);                                                    \
		struct ticker *ticker = bpf_map_lookup_elem(&clocks, &at);             \
		int error = -1;                                                        \
		if (ticker) {                                                          \
			bpf_timer_init(&ticker->timer, &clocks, CLOCK_MONOTONIC);      \
			bpf_timer_set_callback(&ticker->timer, callback);              \
			error = bpf_timer_start(&ticker->timer, first_ns, 0) ? -1 : 0; \
		}                                                                      \
		error;                                                                 \
	})

static __always_inline int clocks_start(void)
{
	if (clock_start(CLOCK_SWEEP, clock_sweep, SWEEP_NS) ||
	    clock_start(CLOCK_RATE, clock_rate, RATE_NS) ||
	    clock_start(CLOCK_LOAD, clock_load, LBW_STEP_NS))
		return -1;
	return clock_start(CLOCK_SERVERS, clock_servers, SERVERS_NS);
}

/*
 * One that runs another object's program runs ours from its next time on, which stays as it is: an average
 * over a longer or shorter time than the others would be wrong. 0 or -1.
 */
#define clock_take(clock, callback)                                                        \
	({                                                                                 \
		__u32 at = (clock);                                                        \
		struct ticker *ticker = bpf_map_lookup_elem(&clocks, &at);                 \
		int error = -1;                                                            \
		if (ticker)                                                                \
			error = bpf_timer_set_callback(&ticker->timer, callback) ? -1 : 0; \
		error;                                                                     \
	})

static __always_inline int clocks_take(void)
{
	if (clock_take(CLOCK_SWEEP, clock_sweep) || clock_take(CLOCK_RATE, clock_rate) ||
	    clock_take(CLOCK_LOAD, clock_load))
		return -1;
	return clock_take(CLOCK_SERVERS, clock_servers);
}

#endif
