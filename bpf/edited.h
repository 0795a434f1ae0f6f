/* SPDX-License-Identifier: GPL-2.0 */
/* User space has changed a tier's list or weights: what its scheduler and thresholds know follows. */
#ifndef LVSJ_EDITED_H
#define LVSJ_EDITED_H

#include "choose.h"
#include "slot.h"

static long edited_slot(__u32 place, struct service **service)
{
	__u32 slot = sched_slot(*service, place);
	struct slot_counts *counts = slot_counts_get(slot);
	struct slot *config = slot_get(slot);

	if (slot && config && counts)
		slot_thresholds(config, counts, 0);
	return 0;
}

static __always_inline int edited(struct request *request)
{
	struct service *service =
		service_find(request->key.fwmark, request->key.family, request->key.tier);
	struct service_cursor *cursor;
	__u32 index;

	if (!service)
		return -1;
	index = service->index;
	cursor = bpf_map_lookup_elem(&service_cursors, &index);
	if (!cursor)
		return -1;
	sched_edited(service, cursor, request->edit, request->place);
	bpf_loop(service->gateway_count, edited_slot, &service, 0);
	return 0;
}

#endif
