/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fo: the heaviest eligible gateway takes all, the others stand by. ovf: the same, but a gateway
 * with more active connections than its weight overflows into the next.
 */
#ifndef LVSJ_SCHED_FO_H
#define LVSJ_SCHED_FO_H

struct fo_scan {
	const struct service *service;
	__u32 weight; /* of the heaviest so far */
	__u32 slot;
	__u32 overflows; /* ovf */
};

static long fo_step(__u32 place, struct fo_scan *scan)
{
	__u32 slot = sched_slot(scan->service, place);
	struct slot_counts *counts = slot_counts_get(slot);
	struct slot *config = slot_get(slot);
	__u32 weight;

	if (!slot || !counts || !config)
		return 1;
	weight = sched_live_weight(config);
	if (counts->overloaded || weight <= scan->weight)
		return 0;
	if (scan->overflows && counts->active > weight)
		return 0;
	scan->weight = weight;
	scan->slot = slot;
	return 0;
}

static __noinline __u32 sched_fo_pick(const struct service *service, __u32 overflows)
{
	struct fo_scan scan = { .service = service,
				.overflows = overflows,
				.weight = opaque_zero,
				.slot = opaque_zero };

	bpf_loop(service->gateway_count, fo_step, &scan, 0);
	return scan.slot;
}

#endif
