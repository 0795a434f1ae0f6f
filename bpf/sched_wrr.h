/* SPDX-License-Identifier: GPL-2.0 */
/*
 * wrr: passes over the list; each pass takes the gateways whose weight reaches the pass's
 * `current`, which falls from `highest` by `step`.
 */
#ifndef LVSJ_SCHED_WRR_H
#define LVSJ_SCHED_WRR_H

/* Looks for the first eligible gateway at or after a place with that weight. */
struct wrr_scan {
	const struct service *service;
	__u32 place; /* next to look at: 1 + that of the found one */
	__u32 weight;
	__u32 slot; /* found; 0 = none */
	__u32 heaviest; /* eligible weight seen on the way */
};

static long wrr_step(__u32 i, struct wrr_scan *scan)
{
	__u32 slot = sched_slot(scan->service, scan->place), weight;

	if (!slot)
		return 1;
	scan->place++;
	weight = sched_weight(slot);
	if (weight && weight >= scan->weight) {
		scan->slot = slot;
		return 1;
	}
	if (weight > scan->heaviest)
		scan->heaviest = weight;
	return 0;
}

static __always_inline __u32 wrr_find(struct wrr_scan *scan, struct service_cursor *cursor,
				      __u32 place)
{
	scan->place = place;
	scan->weight = cursor->current;
	scan->heaviest = opaque_zero;
	bpf_loop(scan->service->gateway_count, wrr_step, scan, 0);
	if (scan->slot)
		cursor->position = scan->place;
	return scan->slot;
}

static __noinline __u32 sched_wrr_pick(const struct service *service, struct service_cursor *cursor)
{
	struct wrr_scan scan = { .service = service, .slot = opaque_zero };
	__u32 step = cursor->step ?: 1, current = cursor->current;

	if (!cursor->highest)
		return 0;
	if (wrr_find(&scan, cursor, cursor->position))
		return scan.slot;
	/* The pass is over: the next one, or the first again after the lowest. */
	cursor->current = current > step ? current - step : cursor->highest;
	if (wrr_find(&scan, cursor, 0))
		return scan.slot;
	if (scan.heaviest) {
		/* Nobody is that heavy: skip the passes that would find nothing either. */
		cursor->current -= (cursor->current - scan.heaviest + step - 1) / step * step;
		return wrr_find(&scan, cursor, 0);
	}
	/* Nobody at all: the first pass is next, or again the rest of the lowest. */
	if (cursor->position && current <= step) {
		cursor->current = current;
	} else {
		cursor->position = 0;
		cursor->current = cursor->highest;
	}
	return 0;
}

static __always_inline __u32 wrr_gcd(__u32 a, __u32 b)
{
	/* Euclid's longest run on 32-bit numbers is 47 steps. */
	for (int i = 0; i < 48 && b; i++) {
		__u32 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

struct wrr_weights {
	const struct service *service;
	__u32 first; /* gateways before this place are not there yet */
	__u32 highest;
	__u32 step;
};

static long wrr_weigh(__u32 place, struct wrr_weights *weights)
{
	struct slot *config = slot_get(sched_slot(weights->service, place));

	if (place < weights->first || !config || !config->weight)
		return 0;
	if (config->weight > weights->highest)
		weights->highest = config->weight;
	weights->step = wrr_gcd(config->weight, weights->step);
	return 0;
}

/* Any change starts a pass anew, and keeps `current` where it can: IPVS's rules to the letter. */
static __always_inline void sched_wrr_edited(const struct service *service,
					     struct service_cursor *cursor, __u32 edit, __u32 place)
{
	struct wrr_weights weights = { .service = service,
				       .first = opaque_zero,
				       .highest = opaque_zero,
				       .step = opaque_zero };
	__u32 step;

	if (edit != EDIT_REMOVED)
		weights.first = place;
	bpf_loop(service->gateway_count, wrr_weigh, &weights, 0);
	step = weights.step ?: 1;
	cursor->position = 0;
	cursor->step = step;
	cursor->highest = weights.highest ? weights.highest - (step - 1) : 0;
	if (edit == EDIT_RESET || cursor->current > cursor->highest || !cursor->current)
		cursor->current = cursor->highest;
	else if (step > 1)
		cursor->current = cursor->current / step * step + 1;
}

#endif
