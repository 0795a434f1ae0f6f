/* SPDX-License-Identifier: GPL-2.0 */
/* ICMP errors on their way to the LAN that say of a connection's packet: there is no way by its gateway. */
#ifndef LVSJ_UNREACHABLE_H
#define LVSJ_UNREACHABLE_H

#include "conn.h"
#include "evidence.h"

/*
 * Codes that tell of a missing way. The others are answers: of a filter (RHEL's hosts refuse with one), or of
 * the server itself, which the packet has reached.
 */
#define UNREACHABLE_V4                                                                        \
	(1 << 0 /* network */ | 1 << 1 /* host */ | 1 << 6 | 1 << 7 /* unknown */ | 1 << 11 | \
	 1 << 12 /* for its kind of service */)
/* 5: that network takes no packet with this source, which is what an ISP says of another's addresses. */
#define UNREACHABLE_V6                                                                \
	(1 << 0 /* no route */ | 1 << 3 /* address */ | 1 << 5 /* source refused */ | \
	 1 << 6 /* route that refuses */)

static __always_inline int icmp_is_unreachable(const struct icmp_echo *icmp, __u32 family)
{
	__u32 type = family == 4 ? ICMP_DEST_UNREACH : ICMPV6_DEST_UNREACH;
	__u32 codes = family == 4 ? UNREACHABLE_V4 : UNREACHABLE_V6;

	return icmp->type == type && icmp->code < 32 && codes >> icmp->code & 1;
}

/* An ICMP error stands at the reader's offset. Global: see evidence.h. */
__noinline int unreachable_count(struct __sk_buff *skb, __u32 offset, __u64 now)
{
	struct reader reader = { .skb = skb, .offset = offset };
	struct gateway_evidence *evidence;
	const struct conn *conn;
	struct icmp_echo icmp;
	struct flow flow;
	__u32 family = skb->protocol == bpf_htons(ETH_P_IP) ? 4 : 6;

	/* The bound is the verifier's. */
	if (offset > 0x1fff || read_bytes(&reader, &icmp, sizeof(icmp)) ||
	    !icmp_is_unreachable(&icmp, family))
		return 0;
	reader.offset += sizeof(icmp);
	if (flow_parse_quoted(&reader, &flow))
		return 0;
	conn = conn_peek(&flow.key, now);
	evidence = conn ? evidence_of(conn->slot) : NULL;
	if (evidence)
		evidence->unreachables += 1;
	return 0;
}

#endif
