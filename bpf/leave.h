/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Connections that can't stay where they are: their gateway is down or was deleted, or they were told to
 * leave it (slot.leave_s). What becomes of them their service says: enum on_down. Where no other gateway
 * would take them they stay: cutting them would help nobody.
 */
#ifndef LVSJ_LEAVE_H
#define LVSJ_LEAVE_H

#include "choose.h"
#include "conn.h"
#include "conntrack.h"
#include "mark.h"

static __always_inline __u32 leave_gateway_flags(const struct slot *config)
{
	const struct gateway *gateway = gateway_get(config->gateway);

	return gateway ? gateway->flags : 0;
}

static __always_inline int gateway_works(__u32 flags)
{
	return (flags & (GATEWAY_PRESENT | GATEWAY_DOWN)) == GATEWAY_PRESENT;
}

static __always_inline int leave_is_told(const struct slot *config, const struct conn *conn)
{
	return config->leave_s && conn->began_s <= config->leave_s;
}

/* What becomes of a connection. */
enum leave {
	LEAVE_STAYS = 0,
	LEAVE_ENDS = 1, /* its packet begins another */
	LEAVE_RESETS = 2, /* its client is told to begin anew */
	LEAVE_MOVES = 3,
};

static __always_inline int leave_is_due(const struct conn *conn)
{
	struct slot *config = slot_get(conn->slot);

	return config && config->on_down != ON_DOWN_KEEP &&
	       (leave_is_told(config, conn) || !gateway_works(leave_gateway_flags(config)));
}

/* Does its server know it by an address that the other gateway does not have? */
static __always_inline int leave_resets(const struct flow *flow, const struct slot *from,
					const struct slot *to)
{
	return flow->key.protocol == IPPROTO_TCP && from->on_down == ON_DOWN_RESET &&
	       !(leave_gateway_flags(from) & leave_gateway_flags(to) & GATEWAY_KEEPS_SOURCE);
}

static __always_inline enum leave leave_decide(const struct flow *flow, const struct conn *conn)
{
	struct slot *from = slot_get(conn->slot), *to;
	struct service *service;
	__u32 slot;

	if (!from || !leave_is_due(conn))
		return LEAVE_STAYS;
	if (flow->opens &&
	    (flow->key.protocol == IPPROTO_TCP || flow->key.protocol == IPPROTO_SCTP))
		return LEAVE_ENDS;
	service = service_find(from->fwmark, from->family, 0);
	/* Dry: who is reset comes back as a new connection, whose turn is then. */
	slot = service ? schedule_tiers(service, &flow->key, service->tiers, 1) : 0;
	to = slot_get(slot);
	/* One that it would have to leave again is no better. */
	if (!slot || !to || to->gateway == from->gateway || leave_is_told(to, conn))
		return LEAVE_STAYS;
	return leave_resets(flow, from, to) ? LEAVE_RESETS : LEAVE_MOVES;
}

/*
 * Its entry lives a little longer, closed: what its client sent before it knew is refused like the
 * first packet, and begins nothing elsewhere.
 */
static __always_inline void leave_close(struct flow *flow, struct conn *conn, __u64 now)
{
	__u32 word = conn->word, next = (word & ~(WORD_STATE | WORD_ACTIVE)) | CONN_CLOSE;

	conn->seen_ns = now;
	if (next != word && (word & WORD_STATE) != CONN_DEAD)
		conn_change(&flow->key, conn, word, next);
}

/* The entry gives way to the choice's. A TCP connection goes on in its state; others are asked anew. */
static __always_inline void leave_move(struct flow *flow, struct conn *conn, struct choice *choice)
{
	choice->reason = REASON_MOVED;
	if (flow->key.protocol == IPPROTO_TCP)
		choice->before = conn->word & (WORD_STATE | WORD_REPLIED);
	conn_remove(&flow->key, conn);
}

/*
 * At tc. conntrack forgets all but those that stay, so that each gets the address of its new gateway, or
 * none at all. The director schedules.
 */
static __always_inline int leave_ingress(struct __sk_buff *skb, struct flow *flow,
					 struct conn *conn, enum leave how, __u64 now)
{
	struct slot *from = slot_get(conn->slot);

	conntrack_forget(skb, &flow->key);
	if (how == LEAVE_ENDS) {
		conn_remove(&flow->key, conn);
		return VERDICT_UNKNOWN;
	}
	if (how == LEAVE_RESETS) {
		leave_close(flow, conn, now);
		mark_set(skb, GATEWAY_REFUSED);
		return VERDICT_RESET;
	}
	if (from)
		skb->mark = from->fwmark;
	return VERDICT_MOVED;
}

/* Is this reply none of the gateway's? We sent it, so that the client begins anew. */
static __always_inline int leave_is_ours(const struct flow *flow, const struct conn *conn)
{
	return flow->key.protocol == IPPROTO_TCP && flow->tcp_flags & TCP_RST &&
	       (conn->word & WORD_STATE) == CONN_CLOSE && leave_is_due(conn);
}

#endif
