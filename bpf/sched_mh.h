/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mh (Maglev): a client's address decides, by a table in which each gateway has its share of the
 * places in an order of its own: when one goes, the clients of the others stay. User space fills
 * the table (src/plan/maglev.ts) and swaps it; here it is only asked.
 */
#ifndef LVSJ_SCHED_MH_H
#define LVSJ_SCHED_MH_H

#define MH_KEY 2654435761ULL

#define mh_rotate(x, bits) ((x) << (bits) | (x) >> (64 - (bits)))

struct mh_state {
	__u64 v0, v1, v2, v3;
};

static __always_inline void mh_round(struct mh_state *s)
{
	s->v0 += s->v1;
	s->v1 = mh_rotate(s->v1, 13) ^ s->v0;
	s->v0 = mh_rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = mh_rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = mh_rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = mh_rotate(s->v1, 17) ^ s->v2;
	s->v2 = mh_rotate(s->v2, 32);
}

/* The place of a value: SipHash-1-3 of its four bytes, under the key (MH_KEY, MH_KEY). */
static __always_inline __u32 mh_place(__u32 value)
{
	struct mh_state s = { 0x736f6d6570736575ULL ^ MH_KEY, 0x646f72616e646f6dULL ^ MH_KEY,
			      0x6c7967656e657261ULL ^ MH_KEY, 0x7465646279746573ULL ^ MH_KEY };
	__u64 block = 4ULL << 56 | value;

	s.v3 ^= block;
	mh_round(&s);
	s.v0 ^= block;
	s.v2 ^= 0xff;
	mh_round(&s);
	mh_round(&s);
	mh_round(&s);
	return (__u32)(s.v0 ^ s.v1 ^ s.v2 ^ s.v3) % MH_PLACES;
}

static __always_inline __u32 mh_slot(const struct mh_table *table, __u32 place)
{
	/* The compiler would drop the check that only the verifier needs: it knows what % does. */
	barrier_var(place);
	return place < MH_PLACES ? table->slots[place] : 0;
}

struct mh_scan {
	const struct mh_table *table;
	__u32 value;
	__u32 offset; /* added to the value, one more with each try */
	__u32 slot; /* found */
};

static long mh_probe(__u32 k, struct mh_scan *scan)
{
	__u32 slot = mh_slot(scan->table, mh_place(scan->value + scan->offset));

	if (sched_weight(slot)) {
		scan->slot = slot;
		return 1;
	}
	scan->offset = (scan->offset + 1) % MH_PLACES;
	return 0;
}

static __noinline __u32 sched_mh_pick(const struct service *service, const struct conn_key *key)
{
	struct mh_scan scan = { .table = mh_table_get(service),
				.value = sched_fold(&key->client),
				.slot = opaque_zero };
	__u32 slot;

	if (!scan.table)
		return 0;
	if (service->scheduler_flags & MH_PORT)
		scan.value += bpf_ntohs(key->client_port);
	scan.offset = mh_place(scan.value);
	slot = mh_slot(scan.table, scan.offset);
	if (sched_weight(slot))
		return slot;
	/* Nobody at all would cost each packet 4093 tries. */
	if (!(service->scheduler_flags & MH_FALLBACK) || !sched_any(service))
		return 0;
	bpf_loop(MH_PLACES, mh_probe, &scan, 0);
	return scan.slot;
}

#endif
