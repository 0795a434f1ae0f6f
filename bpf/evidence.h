/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What packets tell of a gateway's health: who asks by it, who is answered, and how soon. Counted only where a
 * connection begins, repeats itself or is answered: a packet in the middle of one costs nothing. Global functions, so
 * that the verifier checks them once, not on each path that leads to them.
 */
#ifndef LVSJ_EVIDENCE_H
#define LVSJ_EVIDENCE_H

#include <linux/in.h>
#include "load.h"
#include "maps.h"

static __always_inline struct gateway_evidence *evidence_of(__u32 slot)
{
	struct slot *config = slot_get(slot);
	__u32 gateway;

	if (!config)
		return NULL;
	gateway = config->gateway;
	return bpf_map_lookup_elem(&gateway_evidence, &gateway);
}

/* A connection was made; by a SYN, if it is TCP: one from the middle waits for no SYN-ACK. */
__noinline int evidence_open(__u32 slot, __u8 protocol, int opens)
{
	struct gateway_evidence *evidence = evidence_of(slot);

	if (!evidence)
		return 0;
	if (protocol != IPPROTO_TCP)
		evidence->asks += 1;
	else if (opens)
		evidence->syns += 1;
	return 0;
}

/* A SYN that nobody has answered yet came again. */
__noinline int evidence_repeat(__u32 slot)
{
	struct gateway_evidence *evidence = evidence_of(slot);

	if (evidence)
		evidence->syn_repeats += 1;
	return 0;
}

/* The exponent of the highest power of two that is not more. clang 14 has no __builtin_clz for BPF. */
static __always_inline __u32 evidence_place(__u32 us)
{
	__u32 place = 0;

	for (__u32 step = 16; step; step /= 2) {
		if (us >> step) {
			us >>= step;
			place += step;
		}
	}
	return place < EVIDENCE_DELAYS ? place : EVIDENCE_DELAYS - 1;
}

/* The first answer to a connection in this state; us: to its only SYN, by a SYN-ACK, else 0. */
__noinline int evidence_answer(__u32 slot, __u8 protocol, __u32 state, __u32 us)
{
	struct gateway_evidence *evidence = evidence_of(slot);

	if (!evidence)
		return 0;
	if (protocol != IPPROTO_TCP)
		evidence->ask_answers += 1;
	/* A refusal, too, comes from the other side of the gateway. */
	else if (state == CONN_SYN_RECV)
		evidence->syn_answers += 1;
	if (!us)
		return 0;
	evidence->delays_us += us;
	evidence->delays[evidence_place(us)] += 1;
	return 0;
}

/* The first packet of the other direction changes a connection's word. */
static __always_inline void evidence_answered(const struct conn_key *key, struct conn *conn,
					      __u32 word, __u32 next)
{
	__u32 us = 0;

	/* One to a SYN that leaves the state alone is a SYN-ACK. */
	if (conn->opened_us && (word ^ next) == WORD_REPLIED)
		us = load_answer(conn);
	evidence_answer(conn->slot, key->protocol, word & WORD_STATE, us);
}

#endif
