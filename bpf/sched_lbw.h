/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lbw: the gateway whose capacity is used least, in the direction that is used more. Averages
 * follow what is carried (timer.h moves them); what a new connection will carry they can't know
 * yet, so each counts as LBW_FRESH bytes a second until they do.
 */
#ifndef LVSJ_SCHED_LBW_H
#define LVSJ_SCHED_LBW_H

/* Each step of LBW_STEP_NS the averages move by 1/8: two seconds until they show most of a change. */
#define LBW_STEP_NS 250000000ULL
#define LBW_STEPS_A_SECOND 4
#define LBW_SHIFT 3
/* Half a megabit a second. */
#define LBW_FRESH 64000ULL
#define LBW_FRESH_ONE 256
#define LBW_CAPACITY ((__u64)ASSUMED_CAPACITY)

/* Bytes a second as a part of a capacity in bits a second; 1 = 2^24, beyond 256 it stays there. */
static __always_inline __u32 lbw_part(__u64 bytes, __u64 capacity)
{
	__u64 part = (bytes << 27) / (capacity ?: LBW_CAPACITY);

	return part > 0xffffffff ? 0xffffffff : part;
}

static __always_inline __u64 lbw_average(__u64 average, __u64 bytes)
{
	return average + ((__s64)(bytes * LBW_STEPS_A_SECOND - average) >> LBW_SHIFT);
}

/* A step is over in which the totals grew to `now`. */
static __always_inline void lbw_move(const struct gateway *gateway, struct gateway_load *load,
				     const struct gateway_bytes *now)
{
	__u32 shown = load->fresh >> LBW_SHIFT;

	load->down = lbw_average(load->down, now->down - load->last.down);
	load->up = lbw_average(load->up, now->up - load->last.up);
	load->last = *now;
	load->down_part = lbw_part(load->down, gateway->capacity_down);
	load->up_part = lbw_part(load->up, gateway->capacity_up);
	load->fresh_part = lbw_part(LBW_FRESH, gateway->capacity_down);
	/* The last few can't be divided any more. */
	__sync_fetch_and_add(&load->fresh, -(shown ?: load->fresh));
}

struct lbw_scan {
	const struct service *service;
	__u64 used; /* part of the capacity of the best so far */
	__u32 slot;
};

static __always_inline __u64 lbw_used(const struct gateway_load *load)
{
	/* Before its first step a gateway counts as any whose capacity nobody told. */
	__u64 fresh_part = load->fresh_part ?: lbw_part(LBW_FRESH, LBW_CAPACITY);
	__u64 down = load->down_part + load->fresh * fresh_part / LBW_FRESH_ONE;

	return down > load->up_part ? down : load->up_part;
}

static long lbw_step(__u32 place, struct lbw_scan *scan)
{
	__u32 slot = sched_slot(scan->service, place);
	struct slot_counts *counts = slot_counts_get(slot);
	struct slot *config = slot_get(slot);
	struct gateway_load *load;
	__u64 used;

	if (!slot || !counts || !config)
		return 1;
	load = gateway_load_get(config->gateway);
	if (!load || counts->overloaded || !sched_live_weight(config))
		return 0;
	used = lbw_used(load);
	if (!scan->slot || used < scan->used) {
		scan->used = used;
		scan->slot = slot;
	}
	return 0;
}

static __noinline __u32 sched_lbw_pick(const struct service *service)
{
	struct lbw_scan scan = { .service = service, .used = opaque_zero, .slot = opaque_zero };

	bpf_loop(service->gateway_count, lbw_step, &scan, 0);
	return scan.slot;
}

#endif
