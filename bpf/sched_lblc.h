/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lblc: connections to one server go to one gateway, until that has too much to do; then wlc
 * chooses it another. lblcr: the server has a set of gateways, which grows in that way and loses
 * its busiest member once a day.
 */
#ifndef LVSJ_SCHED_LBLC_H
#define LVSJ_SCHED_LBLC_H

/* IPVS's lblc_expiration: so long a server's gateway is remembered, and a set keeps its size. */
#define LBLC_EXPIRATION_NS (86400LL * 1000000000)

/* One for all the loops of a pick, one after the other: a program has a stack of 512 bytes. */
struct lblc_scan {
	const struct service *service;
	struct server_choice *choice;
	__u64 overhead; /* of the best or worst so far */
	__u32 weight;
	__u32 slot;
	__u32 worst; /* looks for the most overhead; lblcr_find: found */
	__u32 at; /* the place of that one in the set */
};

/* Is it a gateway of this tier now? A remembered slot may have gone to another. */
static __always_inline int lblc_is_member(const struct service *service, const struct slot *config)
{
	return config->configured && config->fwmark == service->key.fwmark &&
	       config->family == service->key.family && config->tier == service->key.tier;
}

static long lblc_idle(__u32 place, struct lblc_scan *scan)
{
	__u32 slot = sched_slot(scan->service, place);
	struct slot_counts *counts = slot_counts_get(slot);
	struct slot *config = slot_get(slot);

	if (!slot || !counts || !config)
		return 1;
	if ((__u64)counts->active * 2 >= sched_live_weight(config))
		return 0;
	scan->slot = slot;
	return 1;
}

/* More active connections than weight, while another gateway has less than half of its own. */
static __always_inline int lblc_is_busy(struct lblc_scan *scan, __u32 slot)
{
	struct slot_counts *counts = slot_counts_get(slot);
	struct slot *config = slot_get(slot);

	if (!counts || !config || counts->active <= config->weight)
		return 0;
	scan->slot = opaque_zero;
	bpf_loop(scan->service->gateway_count, lblc_idle, scan, 0);
	return scan->slot != 0;
}

/* Signed: a clock read on another CPU may be a tick ahead. */
static __always_inline __s64 lblc_age(__u64 then, __u64 now)
{
	return now - then;
}

static __always_inline void lblc_key(struct server_key *to, const struct service *service,
				     const struct conn_key *key)
{
	to->server = key->server;
	to->service = service->key;
}

/* What is remembered of a server; nothing if that was too long ago. */
static __always_inline struct server_choice *lblc_recall(const struct server_key *key, __u64 now,
							 __u32 dry)
{
	struct server_choice *choice = server_choice_get(key);

	if (!choice || lblc_age(choice->seen_ns, now) >= LBLC_EXPIRATION_NS)
		return NULL;
	if (!dry)
		choice->seen_ns = now;
	return choice;
}

/* One gateway, whatever was remembered before. Without room the choice is made, but forgotten. */
static __always_inline void lblc_remember(const struct server_key *key, __u32 slot, __u64 now)
{
	struct server_choice *choice = server_choice_make(key);

	if (!choice)
		return;
	choice->slots[0] = slot;
	choice->count = 1;
	choice->seen_ns = now;
	choice->changed_ns = now;
}

static __noinline __u32 sched_lblc_pick(const struct service *service, const struct conn_key *key,
					__u32 dry)
{
	struct lblc_scan scan = { .service = service };
	__u64 now = sched_now();
	struct server_choice *choice;
	struct server_key server;
	struct slot *config;
	__u32 slot;

	lblc_key(&server, service, key);
	choice = lblc_recall(&server, now, dry);
	slot = choice && choice->count ? choice->slots[0] : 0;
	config = slot_get(slot);
	/* Not whether it is overloaded: IPVS does not ask either. */
	if (config && sched_live_weight(config) && lblc_is_member(service, config) &&
	    !lblc_is_busy(&scan, slot))
		return slot;
	slot = sched_lc_pick(service, 1);
	if (slot && !dry)
		lblc_remember(&server, slot, now);
	return slot;
}

static long lblcr_step(__u32 i, struct lblc_scan *scan)
{
	__u32 place = scan->choice->count - 1 - i, slot;
	struct slot_counts *counts;
	struct slot *config;
	__u64 overhead;
	__u32 weight;

	/* From the newest member on, to which ties go. */
	if (place >= MAX_SERVICE_GATEWAYS)
		return 1;
	slot = scan->choice->slots[place];
	counts = slot_counts_get(slot);
	config = slot_get(slot);
	if (!counts || !config)
		return 0;
	weight = sched_live_weight(config);
	if (!weight)
		return 0;
	/* The worst may also be one that was deleted or is full. */
	if (!scan->worst && (counts->overloaded || !lblc_is_member(scan->service, config)))
		return 0;
	overhead = lc_overhead(counts);
	if (scan->slot && (scan->worst ? scan->overhead * weight >= overhead * scan->weight :
					 scan->overhead * weight <= overhead * scan->weight))
		return 0;
	scan->overhead = overhead;
	scan->weight = weight;
	scan->slot = slot;
	scan->at = place;
	return 0;
}

/* The member of the set with the least overhead for its weight, or with the most. */
static __always_inline void lblcr_search(struct lblc_scan *scan, __u32 worst)
{
	scan->worst = worst;
	scan->slot = opaque_zero;
	scan->overhead = opaque_zero;
	scan->weight = opaque_zero;
	scan->at = opaque_zero;
	bpf_loop(MAX_SERVICE_GATEWAYS, lblcr_step, scan, 0);
}

static long lblcr_close_up(__u32 place, struct lblc_scan *scan)
{
	if (place >= MAX_SERVICE_GATEWAYS - 1 || place + 1 >= scan->choice->count)
		return 1;
	if (place >= scan->at)
		scan->choice->slots[place] = scan->choice->slots[place + 1];
	return 0;
}

static __always_inline void lblcr_remove(struct lblc_scan *scan, __u64 now)
{
	bpf_loop(MAX_SERVICE_GATEWAYS - 1, lblcr_close_up, scan, 0);
	scan->choice->count--;
	scan->choice->changed_ns = now;
}

static long lblcr_find(__u32 place, struct lblc_scan *scan)
{
	if (place >= MAX_SERVICE_GATEWAYS || place >= scan->choice->count)
		return 1;
	if (scan->choice->slots[place] != scan->slot)
		return 0;
	scan->worst = 1;
	return 1;
}

static __always_inline void lblcr_add(struct lblc_scan *scan, __u32 slot, __u64 now)
{
	struct server_choice *choice = scan->choice;
	__u32 count = choice->count;

	scan->slot = slot;
	scan->worst = opaque_zero;
	bpf_loop(MAX_SERVICE_GATEWAYS, lblcr_find, scan, 0);
	/* Full of gateways that were deleted: the newest of them gives way. */
	if (count >= MAX_SERVICE_GATEWAYS)
		count = MAX_SERVICE_GATEWAYS - 1;
	if (scan->worst)
		return;
	choice->slots[count] = slot;
	choice->count = count + 1;
	choice->changed_ns = now;
}

static __noinline __u32 sched_lblcr_pick(const struct service *service, const struct conn_key *key,
					 __u32 dry)
{
	struct lblc_scan scan = { .service = service };
	__u64 now = sched_now();
	struct server_choice *choice;
	struct server_key server;
	__u32 best, slot;

	lblc_key(&server, service, key);
	choice = lblc_recall(&server, now, dry);
	if (!choice) {
		slot = sched_lc_pick(service, 1);
		if (slot && !dry)
			lblc_remember(&server, slot, now);
		return slot;
	}
	scan.choice = choice;
	lblcr_search(&scan, 0);
	best = scan.slot;
	if (!dry && choice->count > 1 && lblc_age(choice->changed_ns, now) > LBLC_EXPIRATION_NS) {
		lblcr_search(&scan, 1);
		if (scan.slot)
			lblcr_remove(&scan, now);
	}
	if (best && !lblc_is_busy(&scan, best))
		return best;
	slot = sched_lc_pick(service, 1);
	if (slot && !dry)
		lblcr_add(&scan, slot, now);
	return slot;
}

#endif
