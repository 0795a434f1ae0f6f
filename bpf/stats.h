/* SPDX-License-Identifier: GPL-2.0 */
/* What was counted: verdicts, and the packets and bytes of a gateway of a service. */
#ifndef LVSJ_STATS_H
#define LVSJ_STATS_H

#include "maps.h"
#include "parse.h"

static __always_inline void verdict_count(__u32 hook, __u32 verdict)
{
	__u32 index = hook * VERDICTS + verdict;
	__u64 *count = bpf_map_lookup_elem(&verdicts, &index);

	if (count)
		*count += 1;
}

static __always_inline void stats_add(__u32 slot, __u32 gateway, const struct flow *flow,
				      int direction, int connections)
{
	struct slot_stats *stats = bpf_map_lookup_elem(&slot_stats, &slot);
	struct gateway_bytes *bytes = bpf_map_lookup_elem(&gateway_bytes, &gateway);

	if (!stats || !bytes)
		return;
	stats->connections += connections;
	if (direction == DIRECTION_IN) {
		stats->in_packets += flow->packets;
		stats->in_bytes += flow->length;
		bytes->up += flow->length;
	} else {
		stats->out_packets += flow->packets;
		stats->out_bytes += flow->length;
		bytes->down += flow->length;
	}
}

static __always_inline void stats_count(__u32 slot, const struct flow *flow, int connections)
{
	struct slot *config = slot_get(slot);

	if (config)
		stats_add(slot, config->gateway, flow, flow->direction, connections);
}

#endif
