/* SPDX-License-Identifier: GPL-2.0 */
/* rr: each eligible gateway in turn. */
#ifndef LVSJ_SCHED_RR_H
#define LVSJ_SCHED_RR_H

struct rr_scan {
	const struct service *service;
	__u32 place; /* next to look at */
	__u32 slot; /* found */
};

static long rr_step(__u32 i, struct rr_scan *scan)
{
	__u32 slot;

	if (scan->place >= scan->service->gateway_count)
		scan->place = 0;
	slot = sched_slot(scan->service, scan->place);
	scan->place++;
	if (!slot || !sched_weight(slot))
		return 0;
	scan->slot = slot;
	return 1;
}

static __noinline __u32 sched_rr_pick(const struct service *service, struct service_cursor *cursor)
{
	struct rr_scan scan = { .service = service,
				.place = cursor->position,
				.slot = opaque_zero };

	bpf_loop(service->gateway_count, rr_step, &scan, 0);
	if (scan.slot)
		cursor->position = scan.place;
	return scan.slot;
}

/* The position follows the gateway that it stands for; a removed one's goes to its predecessor. */
static __always_inline void sched_rr_edited(struct service_cursor *cursor, __u32 edit, __u32 place)
{
	if (edit == EDIT_RESET)
		cursor->position = 0;
	else if (edit == EDIT_INSERTED && cursor->position)
		cursor->position++;
	else if (edit == EDIT_REMOVED && cursor->position > place)
		cursor->position--;
}

#endif
