/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lrtt: the gateway by which servers answer soonest, by the average time from SYN to SYN-ACK. It
 * keeps its gateway until another is clearly sooner, and lets every 16th connection try one of the
 * others in turn: who is never asked can't be measured.
 */
#ifndef LVSJ_SCHED_LRTT_H
#define LVSJ_SCHED_LRTT_H

#define LRTT_TRY_EVERY 16
/* Another must be sooner by a fifth, and by a millisecond: less is noise. */
#define LRTT_MARGIN_US 1000
/* An average is forgotten after so many unanswered SYNs and so many steps of timer.h: 3 s. */
#define LRTT_ASKED 8
#define LRTT_SILENT 12

/* A SYN was answered after so many microseconds. */
static __always_inline void lrtt_measure(struct gateway_load *load, __u32 rtt_us)
{
	__u32 average = load->rtt_us;

	/* At least 1: 0 is "not known". */
	load->rtt_us = (average ? average + ((__s32)(rtt_us - average) >> 3) : rtt_us) ?: 1;
	load->asked = 0;
	load->silent = 0;
}

/* A step of the load timer is over. */
static __always_inline void lrtt_move(struct gateway_load *load)
{
	if (load->asked < LRTT_ASKED)
		load->silent = 0;
	else if (++load->silent >= LRTT_SILENT)
		load->rtt_us = 0;
}

struct lrtt_scan {
	const struct service *service;
	__u32 current; /* 1 + place of the gateway that is kept; 0 = none */
	__u32 current_us; /* its average; 0 = not known, or not eligible */
	__u32 best_us;
	__u32 best; /* 1 + place; 0 = no gateway was measured */
	__u32 place; /* trying: next to look at */
	__u32 slot;
};

static long lrtt_step(__u32 place, struct lrtt_scan *scan)
{
	__u32 slot = sched_slot(scan->service, place);
	struct slot *config = slot_get(slot);
	struct gateway_load *load;

	if (!slot || !config)
		return 1;
	load = gateway_load_get(config->gateway);
	if (!load || !load->rtt_us || !sched_weight(slot))
		return 0;
	if (place + 1 == scan->current)
		scan->current_us = load->rtt_us;
	if (!scan->best || load->rtt_us < scan->best_us) {
		scan->best_us = load->rtt_us;
		scan->best = place + 1;
	}
	return 0;
}

static __always_inline int lrtt_is_sooner(__u32 best_us, __u32 current_us)
{
	return best_us + best_us / 4 < current_us && best_us + LRTT_MARGIN_US < current_us;
}

/* The next eligible gateway from a place on that is not the kept one. */
static long lrtt_try(__u32 i, struct lrtt_scan *scan)
{
	__u32 slot;

	if (scan->place >= scan->service->gateway_count)
		scan->place = 0;
	slot = sched_slot(scan->service, scan->place);
	scan->place++;
	if (!slot || scan->place == scan->current || !sched_weight(slot))
		return 0;
	scan->slot = slot;
	return 1;
}

/* cursor: position is the kept gateway's, current counts connections. */
static __noinline __u32 sched_lrtt_pick(const struct service *service,
					struct service_cursor *cursor)
{
	struct lrtt_scan scan = { .service = service,
				  .current = cursor->position,
				  .current_us = opaque_zero,
				  .best_us = opaque_zero,
				  .best = opaque_zero,
				  .slot = opaque_zero };
	__u32 count = cursor->current++;

	bpf_loop(service->gateway_count, lrtt_step, &scan, 0);
	if (!scan.current_us || lrtt_is_sooner(scan.best_us, scan.current_us))
		scan.current = scan.best;
	cursor->position = scan.current;
	/* As long as nothing is known, all in turn. */
	scan.place = scan.current ? count / LRTT_TRY_EVERY : count;
	if (service->gateway_count)
		scan.place %= service->gateway_count;
	if (!scan.current || count % LRTT_TRY_EVERY == LRTT_TRY_EVERY - 1)
		bpf_loop(service->gateway_count, lrtt_try, &scan, 0);
	return scan.slot ?: sched_slot(service, scan.current - 1);
}

/* The kept gateway stays the kept one, wherever it stands now; one that was removed is not. */
static __always_inline void sched_lrtt_edited(struct service_cursor *cursor, __u32 edit,
					      __u32 place)
{
	if (edit == EDIT_RESET)
		cursor->current = 0;
	if (edit == EDIT_REMOVED && cursor->position == place + 1)
		cursor->position = 0;
	else
		sched_rr_edited(cursor, edit, place);
}

#endif
