/* SPDX-License-Identifier: GPL-2.0 */
/* Which gateway does a new connection take? Its client's template first, else the scheduler. */
#ifndef LVSJ_CHOOSE_H
#define LVSJ_CHOOSE_H

#include "conn.h"
#include "sched.h"

/* Tries at advancing rr or wrr past another CPU; then a place is used twice, which harms nobody. */
#define CURSOR_TRIES 4

static __always_inline struct service *service_find(__u32 fwmark, __u32 family)
{
	struct service_key key = { .fwmark = fwmark, .family = family };
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
			       const struct conn_key *key)
{
	return service && cursor && key ? sched_pick(service, cursor, key) : 0;
}

static __always_inline __u32 schedule(const struct service *service, const struct conn_key *key)
{
	struct service_cursor *cursor;
	__u32 index = service->index, slot = 0;

	cursor = bpf_map_lookup_elem(&service_cursors, &index);
	if (!cursor)
		return 0;
	for (int i = 0; i < CURSOR_TRIES; i++) {
		struct service_cursor from = *cursor, to = from;

		slot = schedule_once(service, &to, key);
		if (cursor_publish(cursor, &from, &to))
			break;
	}
	return slot;
}

struct choice {
	__u32 slot;
	struct conn *template; /* that controls the new connection, or NULL */
	int verdict;
};

static __always_inline int slot_is_usable(__u32 slot)
{
	struct slot *config = slot_get(slot);

	return config && config->configured && config->weight;
}

/* Another gateway for a client whose template points to a drained or deleted one. */
static __always_inline void template_move(struct conn *template, __u32 slot)
{
	__u32 old = __sync_lock_test_and_set(&template->slot, slot);

	slot_count_templates(old, -1);
	slot_count_templates(slot, 1);
}

static __always_inline void template_create(struct choice *choice, struct conn_key *key,
					    const struct service *service, __u32 fwmark, __u64 now)
{
	struct conn template = { .seen_ns = now,
				 .word = CONN_TEMPLATE,
				 .slot = choice->slot,
				 .fwmark = fwmark,
				 .timeout_s = service->persistence_s };
	int verdict = conn_store(key, &template);

	if (verdict == VERDICT_TABLE_FULL)
		return;
	if (verdict == VERDICT_NEW)
		slot_count_templates(choice->slot, 1);
	choice->template = conn_find(key, now);
	/* Two first packets of one client at once: both take what the first one chose. */
	if (verdict == VERDICT_RACE && choice->template)
		choice->slot = choice->template->slot;
}

/* The gateway of a new connection: its client's, or the scheduler's. slot 0 = none. */
static __always_inline void choose(struct choice *choice, const struct service *service,
				   struct flow *flow, __u32 fwmark, __u64 now)
{
	struct conn_key key;

	choice->verdict = VERDICT_NEW;
	choice->template = NULL;
	if (service->persistence_s) {
		template_key(&key, &flow->key.client, fwmark, service->netmask);
		choice->template = conn_find(&key, now);
	}
	if (choice->template) {
		choice->template->seen_ns = now;
		choice->slot = choice->template->slot;
		choice->verdict = VERDICT_TEMPLATE;
		if (slot_is_usable(choice->slot))
			return;
		choice->verdict = VERDICT_NEW;
	}
	choice->slot = schedule(service, &flow->key);
	if (!choice->slot)
		return;
	if (choice->template)
		template_move(choice->template, choice->slot);
	else if (service->persistence_s)
		template_create(choice, &key, service, fwmark, now);
}

#endif
