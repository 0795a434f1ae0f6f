/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The connection table: find, create, advance, expire.
 *
 * A connection's state, flags and a random nonce share one word that changes by
 * compare-and-swap only, and whoever wins the swap moves the counters: they stay exact with no
 * lock. The nonce is there because the kernel may give a deleted entry's memory to another
 * connection while a slow reader still holds it.
 */
#ifndef LVSJ_CONN_H
#define LVSJ_CONN_H

#include "evidence.h"
#include "fast_table.h"
#include "load.h"
#include "maps.h"
#include "parse.h"
#include "slot.h"
#include "state.h"
#include "template.h"

#define CROWDED_S 10

static __always_inline void table_count(int entries)
{
	__u32 zero = 0;
	struct table_counts *counts = bpf_map_lookup_elem(&table_counts, &zero);

	if (counts)
		__sync_fetch_and_add(&counts->entries, entries);
}

/* Takes an entry away, whoever comes first; its counters go with it. */
static __noinline int conn_expire(void *shard, struct conn_key *key, struct conn *conn)
{
	__u32 word = conn->word, state = word & WORD_STATE, slot = conn->slot;
	struct conn *template;

	if (state == CONN_DEAD ||
	    __sync_val_compare_and_swap(&conn->word, word, (word & ~WORD_STATE) | CONN_DEAD) !=
		    word)
		return 0;
	if (state_is_template(state))
		slot_count_templates(slot, -1);
	else
		slot_count(slot, word & WORD_ACTIVE ? -1 : 0, word & WORD_ACTIVE ? 0 : -1);
	if (word & WORD_CONTROLLED) {
		template = template_of(key, conn);
		if (template)
			__sync_fetch_and_add(&template->children, -1);
	}
	table_count(-1);
	fast_forget(key);
	bpf_map_delete_elem(shard, key);
	return 0;
}

/* expire_nodest_conn: what a deleted gateway had is forgotten at once. */
static __always_inline int conn_is_orphan(const struct settings *settings, const struct conn *conn)
{
	struct slot *config;

	if (!settings->expire_nodest_conn)
		return 0;
	config = slot_get(conn->slot);
	return config && !config->configured;
}

/*
 * While the table is more than half full, what was never answered goes after CROWDED_S: a flood
 * of half-open connections then holds no room that others need.
 */
static __always_inline int conn_is_crowding(const struct settings *settings, __u32 word)
{
	__u32 state = word & WORD_STATE, zero = 0;
	struct table_counts *counts;

	if (word & WORD_REPLIED ||
	    (state != CONN_SYN_RECV && state != CONN_ASKED && state != CONN_SCTP_INIT))
		return 0;
	counts = bpf_map_lookup_elem(&table_counts, &zero);
	return counts && counts->entries > settings->connection_limit / 2;
}

static __always_inline int conn_expired(const struct conn *conn, __u8 protocol, __u64 now)
{
	struct settings *settings = settings_get();
	__u32 state = conn->word & WORD_STATE, timeout;

	if (!settings)
		return 0;
	if (state_is_template(state)) {
		/*
		 * Lives as long as a connection made through it does (and no 60 s steps). Signed:
		 * a connection that outlives a lost template takes one off its successor.
		 */
		if ((__s32)conn->children > 0)
			return 0;
		timeout = conn->timeout_s;
	} else if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP) {
		timeout = settings->timeout_s[state & (CONN_STATES - 1)];
	} else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		timeout = settings->icmp_timeout_s;
	} else {
		timeout = settings->other_timeout_s;
	}
	/* Behind the look at a template's children: its successor would be taken for theirs. */
	if (conn_is_orphan(settings, conn))
		return 1;
	if (timeout > CROWDED_S && conn_is_crowding(settings, conn->word))
		timeout = CROWDED_S;
	/* A clock read on another CPU may be a tick behind. */
	return now > conn->seen_ns && now - conn->seen_ns >= timeout * NS_PER_S;
}

/* The live entry of this key, or NULL. */
static __always_inline struct conn *conn_find(struct conn_key *key, __u64 now)
{
	void *shard = conn_shard(key);
	struct conn *conn;

	if (!shard)
		return NULL;
	conn = bpf_map_lookup_elem(shard, key);
	if (!conn || (conn->word & WORD_STATE) == CONN_DEAD)
		return NULL;
	if (conn_expired(conn, key->protocol, now)) {
		conn_expire(shard, key, conn);
		return NULL;
	}
	return conn;
}

/* The same for who may change nothing: an expired entry stays where it is. */
static __always_inline const struct conn *conn_peek(const struct conn_key *key, __u64 now)
{
	void *shard = conn_shard(key);
	const struct conn *conn;

	if (!shard)
		return NULL;
	conn = bpf_map_lookup_elem(shard, key);
	if (!conn || (conn->word & WORD_STATE) == CONN_DEAD ||
	    conn_expired(conn, key->protocol, now))
		return NULL;
	return conn;
}

static __always_inline void conn_remove(struct conn_key *key, struct conn *conn)
{
	void *shard = conn_shard(key);

	if (shard)
		conn_expire(shard, key, conn);
}

static __always_inline __u32 conn_next_state(const struct flow *flow, __u32 word)
{
	__u32 state = word & WORD_STATE, view;

	if (flow->direction == DIRECTION_OUT)
		view = VIEW_OUT;
	else
		view = word & WORD_REPLIED ? VIEW_IN : VIEW_IN_ONLY;
	if (flow->key.protocol == IPPROTO_TCP)
		return tcp_state_next(state, flow->tcp_flags, view);
	if (flow->key.protocol == IPPROTO_SCTP)
		return sctp_state_next(state, flow->sctp_event, view);
	return view == VIEW_IN_ONLY ? CONN_ASKED : CONN_ANSWERED;
}

static __always_inline __u32 conn_word_next(const struct flow *flow, __u32 word)
{
	__u32 state = conn_next_state(flow, word);
	__u32 next = (word & ~(WORD_STATE | WORD_ACTIVE)) | state;

	if (state_is_active(state))
		next |= WORD_ACTIVE;
	if (flow->direction == DIRECTION_OUT)
		next |= WORD_REPLIED;
	return next;
}

/* Is this a SYN again, of a connection that nobody has answered? */
static __always_inline int conn_repeats(const struct flow *flow, __u32 word)
{
	return flow->opens && (word & (WORD_STATE | WORD_REPLIED)) == CONN_SYN_RECV;
}

/* Rare part of conn_advance: a repeated SYN, or the word changes, so counters and template may. */
static __noinline int conn_change(struct conn_key *key, struct conn *conn, __u32 word, __u32 next)
{
	__u32 slot = conn->slot, state = next & WORD_STATE, assured;
	struct conn *template;

	/* Of several packets before an answer nobody can tell which one it is for. */
	if (!(next & WORD_REPLIED))
		conn->opened_us = 0;
	if (word == next)
		return evidence_repeat(slot);
	if (__sync_val_compare_and_swap(&conn->word, word, next) != word)
		return 0;
	if ((word ^ next) & WORD_REPLIED)
		evidence_answered(key, conn, word, next);
	/* It ends, or has ended: its room on the fast path is for others. */
	if (state_assures(word & WORD_STATE) && !state_assures(state))
		fast_forget(key);
	if ((word ^ next) & WORD_ACTIVE)
		slot_count(slot, next & WORD_ACTIVE ? 1 : -1, next & WORD_ACTIVE ? -1 : 1);
	if (!(word & WORD_CONTROLLED) || (word & WORD_STATE) == state || !state_assures(state))
		return 0;
	template = template_of(key, conn);
	if (!template)
		return 0;
	assured = template->word;
	if ((assured & WORD_STATE) == CONN_TEMPLATE)
		__sync_val_compare_and_swap(&template->word, assured,
					    (assured & ~WORD_STATE) | CONN_TEMPLATE_ASSURED);
	return 0;
}

/* A packet of this connection was seen. */
static __always_inline void conn_advance(struct flow *flow, struct conn *conn, __u64 now)
{
	__u32 word = conn->word, next = conn_word_next(flow, word);

	if (conn->seen_ns != now)
		conn->seen_ns = now;
	if ((next != word && (word & WORD_STATE) != CONN_DEAD) || conn_repeats(flow, word))
		conn_change(&flow->key, conn, word, next);
}

/* Stores an entry; VERDICT_NEW, VERDICT_RACE (there is one already) or VERDICT_TABLE_FULL. */
static __always_inline int conn_store(struct conn_key *key, struct conn *conn)
{
	struct settings *settings = settings_get();
	__u32 zero = 0;
	struct table_counts *counts = bpf_map_lookup_elem(&table_counts, &zero);
	void *shard = conn_shard(key);
	/* Not long: before Linux 6.4 (d7ba4cc900bf) the upper half of what the call returns is 0. */
	int error;

	if (!settings || !counts || !shard)
		return VERDICT_TABLE_FULL;
	if (__sync_fetch_and_add(&counts->entries, 1) >= settings->connection_limit) {
		table_count(-1);
		return VERDICT_TABLE_FULL;
	}
	conn->word |= bpf_get_prandom_u32() & WORD_NONCE;
	error = bpf_map_update_elem(shard, key, conn, BPF_NOEXIST);
	if (!error)
		return VERDICT_NEW;
	table_count(-1);
	return error == -17 /* EEXIST */ ? VERDICT_RACE : VERDICT_TABLE_FULL;
}

/* The gateway of a new connection. */
struct choice {
	__u32 slot; /* 0 = none */
	__u32 reason; /* enum conn_reason */
	__u32 before; /* state and WORD_REPLIED of the entry whose place it takes; 0 = none */
	struct conn *template; /* that controls the connection, or NULL */
};

/* A new connection of this flow. Not inlined: what it needs of the stack the schedulers shall have. */
static __noinline int conn_create(struct flow *flow, const struct service *service,
				  const struct choice *choice, __u64 now)
{
	struct conn conn = { .seen_ns = now, .slot = choice->slot, .began_s = now / NS_PER_S };
	struct settings *settings = settings_get();
	struct conn *template = choice->template;
	int verdict;

	if (settings)
		conn.generation = settings->generation;
	conn.word = conn_word_next(flow, choice->before) | choice->reason << WORD_REASON_SHIFT;
	if (flow->key.protocol == IPPROTO_TCP && flow->opens)
		conn.opened_us = clock_us();
	if (template) {
		conn.word |= WORD_CONTROLLED;
		conn.word |= service->persistence_key << WORD_PERSISTENCE_SHIFT & WORD_PERSISTENCE;
		conn.netmask = service->netmask;
		__sync_fetch_and_add(&template->children, 1);
	}
	verdict = conn_store(&flow->key, &conn);
	if (verdict == VERDICT_NEW) {
		slot_count(choice->slot, !!(conn.word & WORD_ACTIVE), !(conn.word & WORD_ACTIVE));
		load_open(choice->slot, conn.opened_us != 0);
		if (flow->own != TC_INDEX_OWN || flow->key.protocol == IPPROTO_TCP)
			evidence_open(choice->slot, flow->key.protocol, flow->opens);
	} else if (template) {
		__sync_fetch_and_add(&template->children, -1);
	}
	return verdict;
}

#endif
