/* SPDX-License-Identifier: GPL-2.0 */
/* A connection begins: its service, its gateway, its entry. */
#ifndef LVSJ_OPEN_H
#define LVSJ_OPEN_H

#include "choose.h"
#include "conn.h"
#include "leave.h"
#include "stats.h"

/*
 * A packet without a live connection, or of one that leaves its gateway (old): *gateway is set if one
 * is found for it.
 */
static __always_inline int open_connection(struct flow *flow, struct conn *old, __u32 fwmark,
					   __u32 *gateway, __u64 now)
{
	struct slot *from = old ? slot_get(old->slot) : NULL;
	struct service *service = service_find(from ? from->fwmark : fwmark, flow->family, 0);
	struct choice choice = {};
	int verdict;
	__u32 id;

	if (!service)
		return VERDICT_NO_SERVICE;
	if (!old && !flow->opens && !flow_is_sloppy(flow))
		return VERDICT_MIDSTREAM;
	/* The stack answers it and never forwards it: no reply would ever end the entry. */
	if (flow->ttl <= 1)
		return VERDICT_TTL;
	choose(&choice, service, flow, now);
	id = choice.slot ? gateway_of(choice.slot) : 0;
	if (!id) {
		*gateway = service->last_resort == LAST_RESORT_UNREACHABLE ? GATEWAY_REFUSED :
									     GATEWAY_NONE;
		return last_resort(service);
	}
	*gateway = id;
	/* Not in choose(): the verifier would walk through all that follows twice. */
	if (old)
		leave_move(flow, old, &choice);
	else if (choice.reason == REASON_SCHEDULER && !flow->opens)
		choice.reason = REASON_MIDSTREAM;
	if (service->one_packet && flow->key.protocol == IPPROTO_UDP) {
		stats_count(choice.slot, flow, 1);
		return VERDICT_ONE_PACKET;
	}
	verdict = conn_create(flow, service, &choice, now);
	if (verdict == VERDICT_RACE) {
		struct conn *conn = conn_find(&flow->key, now);

		if (conn && gateway_of(conn->slot)) {
			choice.slot = conn->slot;
			*gateway = gateway_of(choice.slot);
		}
	}
	stats_count(choice.slot, flow, verdict != VERDICT_RACE);
	if (verdict == VERDICT_NEW && choice.reason == REASON_TEMPLATE)
		return VERDICT_TEMPLATE;
	return verdict == VERDICT_NEW && old ? VERDICT_MOVED : verdict;
}

#endif
