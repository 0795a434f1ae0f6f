/* SPDX-License-Identifier: GPL-2.0 */
/* lc and wlc: the gateway with the fewest connections, for wlc in proportion to its weight. */
#ifndef LVSJ_SCHED_LC_H
#define LVSJ_SCHED_LC_H

/* An active connection is worth 256 inactive ones. */
static __always_inline __u64 lc_overhead(const struct slot_counts *counts)
{
	return ((__u64)counts->active << 8) + counts->inactive;
}

struct lc_scan {
	const struct service *service;
	__u64 overhead; /* of the best so far */
	__u32 weight;
	__u32 slot;
	__u32 weighted; /* wlc */
};

static long lc_step(__u32 place, struct lc_scan *scan)
{
	__u32 slot = sched_slot(scan->service, place), weight;
	struct slot_counts *counts = slot_counts_get(slot);
	struct slot *config = slot_get(slot);
	__u64 overhead;

	/* Not by sched_weight(): its look-ups would be made twice for each of 64 gateways. */
	if (!slot || !counts || !config)
		return 1;
	weight = sched_live_weight(config);
	if (counts->overloaded || !weight)
		return 0;
	if (!scan->weighted)
		weight = 1;
	overhead = lc_overhead(counts);
	/* best / its weight > this / this weight; a tie stays with the earlier, the newest */
	if (!scan->slot || scan->overhead * weight > overhead * scan->weight) {
		scan->overhead = overhead;
		scan->weight = weight;
		scan->slot = slot;
	}
	return 0;
}

static __noinline __u32 sched_lc_pick(const struct service *service, __u32 weighted)
{
	struct lc_scan scan = { .service = service,
				.weighted = weighted,
				.overhead = opaque_zero,
				.weight = opaque_zero,
				.slot = opaque_zero };

	bpf_loop(service->gateway_count, lc_step, &scan, 0);
	return scan.slot;
}

#endif
