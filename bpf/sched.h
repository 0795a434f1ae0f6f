/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Schedulers: each is a pure function of its service, where it stands (cursor) and the flow's
 * addresses, and answers with a slot, or 0 for none. They know nothing of BPF but the two
 * look-ups slot_get() and slot_counts_get() and opaque_zero (maps.h says why), so test/host
 * compiles them as they are.
 *
 * A new one: its number in abi.h, its header, a line in sched_pick() (and in sched_edited() if
 * it has a state), its name in src/ipvsadm/schedulers.ts, its cases in test/cases.
 */
#ifndef LVSJ_SCHED_H
#define LVSJ_SCHED_H

#include "abi.h"

/* The slot at a place of the service's list; 0 beyond its end. */
static __always_inline __u32 sched_slot(const struct service *service, __u32 place)
{
	if (place >= MAX_SERVICE_GATEWAYS || place >= service->gateway_count)
		return 0;
	return service->slots[place];
}

/* Its weight if it may take a new connection, else 0. */
static __always_inline __u32 sched_weight(__u32 slot)
{
	struct slot *config = slot_get(slot);
	struct slot_counts *counts = slot_counts_get(slot);

	if (!config || !counts || counts->overloaded)
		return 0;
	return config->weight;
}

#include "sched_lc.h"
#include "sched_rr.h"
#include "sched_sh.h"
#include "sched_wrr.h"

/* cursor is advanced in place: the caller hands in a copy and publishes it. */
static __always_inline __u32 sched_pick(const struct service *service,
					struct service_cursor *cursor, const struct conn_key *key)
{
	switch (service->scheduler) {
	case SCHEDULER_RR:
		return sched_rr_pick(service, cursor);
	case SCHEDULER_WRR:
		return sched_wrr_pick(service, cursor);
	case SCHEDULER_LC:
		return sched_lc_pick(service, 0);
	case SCHEDULER_WLC:
		return sched_lc_pick(service, 1);
	case SCHEDULER_SH:
		return sched_sh_pick(service, key);
	default:
		return 0;
	}
}

/* The service's list or weights changed: see enum edit for edit and place. */
static __always_inline void sched_edited(const struct service *service,
					 struct service_cursor *cursor, __u32 edit, __u32 place)
{
	if (service->scheduler == SCHEDULER_WRR)
		sched_wrr_edited(service, cursor, edit, place);
	else
		sched_rr_edited(cursor, edit, place);
}

#endif
