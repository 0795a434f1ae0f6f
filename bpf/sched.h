/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Schedulers: each is a pure function of its service, where it stands (cursor) and the flow's
 * addresses, and answers with a slot, or 0 for none. They know nothing of BPF but the
 * look-ups of maps.h (slot_get() and its like) and opaque_zero (maps.h says why), so test/host
 * compiles them as they are.
 *
 * Each pick is a function of its own (__noinline). Else clang merges the ends of two of them into
 * one call of bpf_loop, the verifier no longer knows the callback, and the kernel calls it by
 * pointer each round instead of making a plain loop: twice the cost with 64 gateways.
 *
 * A new one: its number in abi.h, its header, a line in sched_pick() (and in sched_edited() if
 * it has a state), its name in src/ipvsadm/schedulers.ts, its cases in test/cases.
 */
#ifndef LVSJ_SCHED_H
#define LVSJ_SCHED_H

#include "abi.h"
#include "flow.h"

/* The slot at a place of the service's list; 0 beyond its end. */
static __always_inline __u32 sched_slot(const struct service *service, __u32 place)
{
	if (place >= MAX_SERVICE_GATEWAYS || place >= service->gateway_count)
		return 0;
	return service->slots[place];
}

static __always_inline int sched_is_up(const struct slot *config)
{
	const struct gateway *gateway = gateway_get(config->gateway);

	return gateway && !(gateway->flags & GATEWAY_DOWN);
}

/* What a slot weighs for a new connection. */
static __always_inline __u32 sched_live_weight(const struct slot *config)
{
	return sched_is_up(config) ? config->weight : 0;
}

/* Its weight if it may take a new connection, else 0. */
static __always_inline __u32 sched_weight(__u32 slot)
{
	struct slot *config = slot_get(slot);
	struct slot_counts *counts = slot_counts_get(slot);

	if (!config || !counts || counts->overloaded)
		return 0;
	return sched_live_weight(config);
}

struct sched_any {
	const struct service *service;
	__u32 found;
};

static long sched_any_step(__u32 place, struct sched_any *any)
{
	if (!sched_weight(sched_slot(any->service, place)))
		return 0;
	any->found = 1;
	return 1;
}

/* Is there a gateway that may take a new connection? */
static __always_inline int sched_any(const struct service *service)
{
	struct sched_any any = { .service = service, .found = opaque_zero };

	bpf_loop(service->gateway_count, sched_any_step, &any, 0);
	return any.found;
}

/* An address as one number: IPv6 folds its words; an IPv4 address sits in the last one. */
static __always_inline __u32 sched_fold(const struct address *address)
{
	const __be32 *word = address->word;

	return address_is_v4(address) ? bpf_ntohl(word[3]) :
					bpf_ntohl(word[0] ^ word[1] ^ word[2] ^ word[3]);
}

/* IPVS's multiplicative hash to 8 bits. */
static __always_inline __u32 sched_hash8(__u32 value)
{
	return (value * 0x61c88647U) >> 24;
}

#include "sched_dh.h"
#include "sched_fo.h"
#include "sched_lbw.h"
#include "sched_lc.h"
#include "sched_lblc.h"
#include "sched_mh.h"
#include "sched_rr.h"
#include "sched_lrtt.h"
#include "sched_sed.h"
#include "sched_sh.h"
#include "sched_wrr.h"

/*
 * cursor is advanced in place: the caller hands in a copy and publishes it. dry: nobody will make
 * that connection, so nothing is remembered of it.
 */
static __always_inline __u32 sched_pick(const struct service *service,
					struct service_cursor *cursor, const struct conn_key *key,
					__u32 dry)
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
	case SCHEDULER_SED:
		return sched_sed_pick(service, 0);
	case SCHEDULER_NQ:
		return sched_sed_pick(service, 1);
	case SCHEDULER_FO:
		return sched_fo_pick(service, 0);
	case SCHEDULER_OVF:
		return sched_fo_pick(service, 1);
	case SCHEDULER_DH:
		return sched_dh_pick(service, key);
	case SCHEDULER_MH:
		return sched_mh_pick(service, key);
	case SCHEDULER_LBLC:
		return sched_lblc_pick(service, key, dry);
	case SCHEDULER_LBLCR:
		return sched_lblcr_pick(service, key, dry);
	case SCHEDULER_LBW:
		return sched_lbw_pick(service);
	case SCHEDULER_LRTT:
		return sched_lrtt_pick(service, cursor);
	default:
		return 0;
	}
}

/* The service's list or weights changed: see enum edit for edit and place. */
static __always_inline void sched_edited(const struct service *service,
					 struct service_cursor *cursor, __u32 edit, __u32 place)
{
	/* Also where lblc was the old one: it begins anew when it comes back. */
	if (edit == EDIT_RESET)
		server_choices_forget(service);
	if (service->scheduler == SCHEDULER_WRR)
		sched_wrr_edited(service, cursor, edit, place);
	else if (service->scheduler == SCHEDULER_LRTT)
		sched_lrtt_edited(cursor, edit, place);
	else
		sched_rr_edited(cursor, edit, place);
}

#endif
