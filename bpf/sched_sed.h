/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sed: the gateway that would have the fewest active connections for its weight, the new one
 * counted in. nq: an idle gateway first, however light; else as sed.
 */
#ifndef LVSJ_SCHED_SED_H
#define LVSJ_SCHED_SED_H

struct sed_scan {
	const struct service *service;
	__u64 active; /* of the best so far, the new connection counted in */
	__u32 weight;
	__u32 slot;
	__u32 idle_first; /* nq */
};

static long sed_step(__u32 place, struct sed_scan *scan)
{
	__u32 slot = sched_slot(scan->service, place);
	struct slot_counts *counts = slot_counts_get(slot);
	struct slot *config = slot_get(slot);
	__u64 active;
	__u32 weight;

	if (!slot || !counts || !config)
		return 1;
	weight = sched_live_weight(config);
	if (counts->overloaded || !weight)
		return 0;
	active = (__u64)counts->active + 1;
	if (scan->idle_first && active == 1) {
		scan->slot = slot;
		return 1;
	}
	/* A tie stays with the earlier, the newest. */
	if (!scan->slot || scan->active * weight > active * scan->weight) {
		scan->active = active;
		scan->weight = weight;
		scan->slot = slot;
	}
	return 0;
}

static __noinline __u32 sched_sed_pick(const struct service *service, __u32 idle_first)
{
	struct sed_scan scan = { .service = service,
				 .idle_first = idle_first,
				 .active = opaque_zero,
				 .weight = opaque_zero,
				 .slot = opaque_zero };

	bpf_loop(service->gateway_count, sed_step, &scan, 0);
	return scan.slot;
}

#endif
