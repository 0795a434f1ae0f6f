/* SPDX-License-Identifier: GPL-2.0 */
/* Is this a new connection, and which gateway does it take? Its client's template first, else the scheduler. */
#ifndef LVSJ_CHOOSE_H
#define LVSJ_CHOOSE_H

#include "conn.h"
#include "sched.h"

/* Tries at advancing rr or wrr past another CPU; then a place is used twice, which harms nobody. */
#define CURSOR_TRIES 4

/* The id of a slot's gateway; 0 if it was deleted. */
static __always_inline __u32 gateway_of(__u32 slot)
{
	struct slot *config = slot_get(slot);
	struct gateway *gateway;
	__u32 id;

	if (!config)
		return 0;
	id = config->gateway;
	gateway = bpf_map_lookup_elem(&gateways, &id);
	return gateway && gateway->flags & GATEWAY_PRESENT ? id : 0;
}

static __always_inline struct service *service_find(__u32 fwmark, __u32 family, __u32 tier)
{
	struct service_key key = { .fwmark = fwmark, .family = family, .tier = tier };
	void *config = bpf_map_lookup_elem(&services, &key);
	__u32 zero = 0;

	return config ? bpf_map_lookup_elem(config, &zero) : NULL;
}

/* Publishes where rr or wrr stands now, unless another CPU was faster. */
static __always_inline int cursor_publish(struct service_cursor *cursor,
					  const struct service_cursor *from,
					  const struct service_cursor *to)
{
	__u64 old = (__u64)from->current << 32 | from->position;
	__u64 next = (__u64)to->current << 32 | to->position;

	return old == next || __sync_val_compare_and_swap((__u64 *)cursor, old, next) == old;
}

/* Global, so that the verifier checks it once, not at each try of each path that leads to it. */
__noinline __u32 schedule_once(const struct service *service, struct service_cursor *cursor,
			       const struct conn_key *key, __u32 dry)
{
	return service && cursor && key ? sched_pick(service, cursor, key, dry) : 0;
}

/* One tier's choice. dry: nobody will make that connection, so nothing moves. */
static __always_inline __u32 schedule(const struct service *service, const struct conn_key *key,
				      __u32 dry)
{
	struct service_cursor *cursor;
	__u32 index = service->index, slot = 0;

	cursor = bpf_map_lookup_elem(&service_cursors, &index);
	if (!cursor)
		return 0;
	for (int i = 0; i < CURSOR_TRIES; i++) {
		struct service_cursor from = *cursor, to = from;

		slot = schedule_once(service, &to, key, dry);
		if (dry || cursor_publish(cursor, &from, &to))
			break;
	}
	return slot;
}

/*
 * Asks the first so many tiers, one after the other, until one has a gateway for it. Global as
 * schedule_once() is.
 */
__noinline __u32 schedule_tiers(const struct service *service, const struct conn_key *key,
				__u32 tiers, __u32 dry)
{
	__u32 slot = 0;

	if (!service || !key)
		return 0;
	for (__u32 tier = 0; tier < MAX_TIERS && !slot && tier < tiers; tier++) {
		const struct service *next = service;

		if (tier)
			next = service_find(service->key.fwmark, service->key.family, tier);
		/* None: all gateways of that tier are away. */
		if (next)
			slot = schedule(next, key, dry);
	}
	return slot;
}

/*
 * A SYN or INIT on a finished connection is a new one: its old gateway has no claim to it. The
 * settings (IPVS's conn_reuse_mode, expire_nodest_conn) say when.
 */
static __always_inline int conn_is_reused(const struct flow *flow, const struct conn *conn)
{
	struct settings *settings = settings_get();
	__u32 word = conn->word, state = word & WORD_STATE;
	struct slot *config;

	if (!flow->opens || !settings ||
	    (flow->key.protocol != IPPROTO_TCP && flow->key.protocol != IPPROTO_SCTP))
		return 0;
	if (settings->expire_nodest_conn) {
		config = slot_get(conn->slot);
		if (config && !config->weight)
			return 1;
	}
	if (!settings->conn_reuse_mode)
		return 0;
	if (settings->conn_reuse_mode & 2 && state == CONN_FIN_WAIT && !(word & WORD_REPLIED))
		return 1;
	return state == CONN_TIME_WAIT || state == CONN_CLOSE || state == CONN_SCTP_CLOSED;
}

/*
 * May a packet from the middle of a connection begin one here? After a take-over it must. Not a
 * SYN with ACK, which answers a connection from outside.
 */
static __always_inline int flow_is_sloppy(const struct flow *flow)
{
	struct settings *settings = settings_get();

	if (!settings)
		return 0;
	if (flow->key.protocol == IPPROTO_TCP)
		return settings->sloppy_tcp && !(flow->tcp_flags & (TCP_RST | TCP_SYN));
	return flow->key.protocol == IPPROTO_SCTP && settings->sloppy_sctp &&
	       flow->sctp_event != SCTP_EVENT_ABORT;
}

/* May a template still lead there? Not while it is down; a drained one must become empty, unless the admin says so. */
static __always_inline int slot_is_usable(__u32 slot)
{
	struct settings *settings = settings_get();
	struct slot *config = slot_get(slot);

	return config && config->configured && sched_is_up(config) &&
	       (config->weight || (settings && !settings->expire_quiescent_template));
}

/* How many tiers may take a client away from a gateway that its template leads to. */
static __always_inline __u32 tiers_above(const struct service *service, __u32 slot)
{
	struct slot *config = slot_get(slot);

	return config && service->failback == FAILBACK_NEW ? config->tier : 0;
}

/* Another gateway for a client whose template points to one that it shall not, or not any more. */
static __always_inline void template_move(struct conn *template, __u32 slot, __u64 now)
{
	__u32 old = __sync_lock_test_and_set(&template->slot, slot);

	template->seen_ns = now;
	slot_count_templates(old, -1);
	slot_count_templates(slot, 1);
}

/* The template of a connection's client. Not inlined, as conn_create(). */
static __noinline struct conn *template_find(const struct flow *flow, const struct service *service,
					     __u64 now)
{
	struct conn_key key;

	template_key(&key, &flow->key, service->key.fwmark, service->netmask,
		     service->persistence_key);
	return conn_find(&key, now);
}

static __noinline int template_create(struct choice *choice, const struct flow *flow,
				      const struct service *service, __u64 now)
{
	struct conn_key key;
	struct conn template = { .seen_ns = now,
				 .word = CONN_TEMPLATE,
				 .slot = choice->slot,
				 .timeout_s = service->persistence_s };
	int verdict;

	template_key(&key, &flow->key, service->key.fwmark, service->netmask,
		     service->persistence_key);
	verdict = conn_store(&key, &template);
	if (verdict == VERDICT_TABLE_FULL)
		return verdict;
	if (verdict == VERDICT_NEW)
		slot_count_templates(choice->slot, 1);
	/* No more calls than need be: each has a part of the stack. */
	choice->template = (struct conn *)conn_peek(&key, now);
	/* Two first packets of one client at once: both take what the first one chose. */
	if (verdict == VERDICT_RACE && choice->template) {
		choice->slot = choice->template->slot;
		choice->reason = REASON_RACE;
	}
	return verdict;
}

/* The verdict on a connection that no gateway takes. */
static __always_inline int last_resort(const struct service *service)
{
	if (service->last_resort == LAST_RESORT_DROP)
		return VERDICT_DROPPED;
	return service->last_resort == LAST_RESORT_UNREACHABLE ? VERDICT_UNREACHABLE :
								 VERDICT_NO_GATEWAY;
}

/* The gateway of a new connection: its client's, or the scheduler's. slot 0 = none. */
static __always_inline void choose(struct choice *choice, const struct service *service,
				   struct flow *flow, __u64 now)
{
	__u32 usable, tiers;

	choice->reason = REASON_SCHEDULER;
	choice->template = service->persistence_s ? template_find(flow, service, now) : NULL;
	usable = choice->template && slot_is_usable(choice->template->slot);
	tiers = usable ? tiers_above(service, choice->template->slot) : service->tiers;
	choice->slot = schedule_tiers(service, &flow->key, tiers, 0);
	if (!choice->slot && usable) {
		choice->slot = choice->template->slot;
		choice->reason = REASON_TEMPLATE;
		choice->template->seen_ns = now;
	} else if (choice->slot && choice->template) {
		template_move(choice->template, choice->slot, now);
	} else if (choice->slot && service->persistence_s) {
		template_create(choice, flow, service, now);
	}
}

#endif
