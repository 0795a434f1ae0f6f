/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sh: a client's address decides. IPVS fills 256 buckets with the gateways in turn, `weight`
 * buckets each (at least one); we compute a bucket's owner instead of keeping the table, so it
 * can't be stale.
 */
#ifndef LVSJ_SCHED_SH_H
#define LVSJ_SCHED_SH_H

#define SH_BUCKETS 256

/* How many buckets in a row a gateway gets. Beyond 256 it makes no difference. */
static __always_inline __u32 sh_buckets(__u32 slot)
{
	struct slot *config = slot_get(slot);
	__u32 weight = config ? config->weight : 0;

	return weight > SH_BUCKETS ? SH_BUCKETS : weight ?: 1;
}

/* Where a bucket lies in the round of gateways. */
struct sh_scan {
	const struct service *service;
	__u32 bucket;
	__u32 place; /* its owner */
	__u32 left; /* buckets from here on that are the owner's, this one too */
	__u32 round; /* buckets of all gateways together */
	__u32 slot; /* fallback: found */
};

static long sh_add(__u32 place, struct sh_scan *scan)
{
	scan->round += sh_buckets(sched_slot(scan->service, place));
	return 0;
}

static long sh_pass(__u32 place, struct sh_scan *scan)
{
	__u32 buckets = sh_buckets(sched_slot(scan->service, place));

	if (scan->left >= buckets) {
		scan->left -= buckets;
		return 0;
	}
	scan->place = place;
	scan->left = buckets - scan->left;
	return 1;
}

static __always_inline void sh_locate(struct sh_scan *scan)
{
	scan->round = opaque_zero;
	bpf_loop(scan->service->gateway_count, sh_add, scan, 0);
	scan->left = scan->round ? scan->bucket % scan->round : 0;
	bpf_loop(scan->service->gateway_count, sh_pass, scan, 0);
}

static long sh_probe(__u32 k, struct sh_scan *scan)
{
	__u32 slot = sched_slot(scan->service, scan->place);

	if (!slot)
		return 1;
	if (sched_weight(slot)) {
		scan->slot = slot;
		return 1;
	}
	scan->bucket = (scan->bucket + 1) % SH_BUCKETS;
	if (!scan->bucket)
		scan->place = 0;
	else if (--scan->left)
		return 0;
	else if (++scan->place >= scan->service->gateway_count)
		scan->place = 0;
	scan->left = sh_buckets(sched_slot(scan->service, scan->place));
	return 0;
}

static __always_inline __u32 sh_fallback(struct sh_scan *scan)
{
	/* Twice the bucket: IPVS adds the start to the hash again. */
	scan->bucket = scan->bucket * 2 % SH_BUCKETS;
	sh_locate(scan);
	bpf_loop(SH_BUCKETS, sh_probe, scan, 0);
	return scan->slot;
}

static __noinline __u32 sched_sh_pick(const struct service *service, const struct conn_key *key)
{
	__u32 value = sched_fold(&key->client);
	struct sh_scan scan = {
		.service = service, .place = opaque_zero, .left = opaque_zero, .slot = opaque_zero
	};
	__u32 slot;

	if (service->scheduler_flags & SH_PORT)
		value += bpf_ntohs(key->client_port);
	scan.bucket = sched_hash8(value);
	sh_locate(&scan);
	slot = sched_slot(service, scan.place);
	if (slot && sched_weight(slot))
		return slot;
	return service->scheduler_flags & SH_FALLBACK ? sh_fallback(&scan) : 0;
}

#endif
