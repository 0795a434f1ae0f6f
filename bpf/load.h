/* SPDX-License-Identifier: GPL-2.0 */
/* What packets tell of a gateway's load and distance: see sched_lbw.h and sched_lrtt.h. */
#ifndef LVSJ_LOAD_H
#define LVSJ_LOAD_H

#include "maps.h"
#include "sched.h"

/* Never 0, which stands for "no time"; wraps after 71 minutes. */
static __always_inline __u32 clock_us(void)
{
	return (__u32)(bpf_ktime_get_ns() / 1000) ?: 1;
}

static __always_inline struct gateway_load *load_of(__u32 slot)
{
	struct slot *config = slot_get(slot);

	return config ? gateway_load_get(config->gateway) : NULL;
}

/* A connection was made; asks: by a SYN. */
static __always_inline void load_open(__u32 slot, int asks)
{
	struct gateway_load *load = load_of(slot);

	if (!load)
		return;
	__sync_fetch_and_add(&load->fresh, LBW_FRESH_ONE);
	if (asks)
		__sync_fetch_and_add(&load->asked, 1);
}

/* The SYN of a connection was answered: after how many microseconds, at least 1. */
static __always_inline __u32 load_answer(struct conn *conn)
{
	struct gateway_load *load = load_of(conn->slot);
	__u32 us = clock_us() - conn->opened_us ?: 1;

	if (load)
		lrtt_measure(load, us);
	conn->opened_us = 0;
	return us;
}

#endif
