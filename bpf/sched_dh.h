/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dh: the server's address decides. IPVS deals 256 buckets out to the gateways in turn, whatever
 * their weights; so a bucket's owner follows from the list, and there is no table to be stale.
 */
#ifndef LVSJ_SCHED_DH_H
#define LVSJ_SCHED_DH_H

static __noinline __u32 sched_dh_pick(const struct service *service, const struct conn_key *key)
{
	__u32 bucket = sched_hash8(sched_fold(&key->server)), slot;

	if (!service->gateway_count)
		return 0;
	slot = sched_slot(service, bucket % service->gateway_count);
	return slot && sched_weight(slot) ? slot : 0;
}

#endif
