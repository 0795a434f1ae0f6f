/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What would become of a connection's first packet? The same questions in the same order as
 * direct() asks them, by the same schedulers, but nothing is changed: no entry is made, renewed or
 * taken away, no cursor moves, no counter counts. So a finished connection on the same ports, which
 * direct() takes away before it schedules, still counts as inactive here.
 */
#ifndef LVSJ_EXPLAIN_H
#define LVSJ_EXPLAIN_H

#include "choose.h"
#include "conn.h"
#include "leave.h"

/* As choose(). */
static __always_inline void explain_choice(struct request *request, const struct service *service,
					   __u64 now)
{
	struct explanation *answer = &request->explanation;
	const struct conn *template = NULL;
	__u32 usable, tiers;

	if (service->persistence_s) {
		template_key(&answer->template_key, &request->conn, service->key.fwmark,
			     service->netmask, service->persistence_key);
		template = conn_peek(&answer->template_key, now);
	}
	if (template) {
		answer->found |= EXPLAINED_TEMPLATE;
		answer->template = *template;
	}
	usable = template && slot_is_usable(template->slot);
	tiers = usable ? tiers_above(service, template->slot) : service->tiers;
	answer->slot = schedule_tiers(service, &request->conn, tiers, 1);
	if (answer->slot) {
		answer->reason = REASON_SCHEDULER;
	} else if (usable) {
		answer->reason = REASON_TEMPLATE;
		answer->slot = template->slot;
	}
}

/* Would conn_store() have no room for it, behind a template that must be made first? A finished one gives its own. */
static __always_inline int explain_full(const struct explanation *answer,
					const struct service *service)
{
	__u32 zero = 0, first = service->persistence_s && !(answer->found & EXPLAINED_TEMPLATE);
	struct table_counts *counts = bpf_map_lookup_elem(&table_counts, &zero);
	struct settings *settings = settings_get();

	if (!counts || !settings)
		return 1;
	return counts->entries + first >=
	       settings->connection_limit + !!(answer->found & EXPLAINED_CONN);
}

/* As open_connection(). */
static __always_inline int explain_new(struct request *request, __u64 now)
{
	struct service *service = service_find(request->key.fwmark, request->key.family, 0);
	struct explanation *answer = &request->explanation;

	if (!service)
		return VERDICT_NO_SERVICE;
	explain_choice(request, service, now);
	if (!gateway_of(answer->slot))
		return last_resort(service);
	if (service->one_packet && request->conn.protocol == IPPROTO_UDP)
		return VERDICT_ONE_PACKET;
	if (explain_full(answer, service))
		return VERDICT_TABLE_FULL;
	return answer->reason == REASON_TEMPLATE ? VERDICT_TEMPLATE : VERDICT_NEW;
}

static __always_inline void explain(struct request *request)
{
	struct explanation *answer = &request->explanation;
	struct flow flow = { .key = request->conn, .family = request->key.family, .opens = 1 };
	__u64 now = bpf_ktime_get_coarse_ns();
	const struct conn *conn = conn_peek(&request->conn, now);
	enum leave how = LEAVE_ENDS;

	if (conn) {
		answer->found |= EXPLAINED_CONN;
		answer->conn = *conn;
	}
	if (conn && !conn_is_reused(&flow, conn))
		how = leave_decide(&flow, conn);
	if (conn && how == LEAVE_STAYS && gateway_of(conn->slot)) {
		answer->verdict = VERDICT_KNOWN;
		answer->reason = (conn->word & WORD_REASON) >> WORD_REASON_SHIFT;
		answer->slot = conn->slot;
		return;
	}
	answer->verdict = explain_new(request, now);
	if (how == LEAVE_MOVES && answer->slot) {
		answer->verdict = VERDICT_MOVED;
		answer->reason = REASON_MOVED;
	}
}

#endif
