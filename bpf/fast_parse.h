/* SPDX-License-Identifier: GPL-2.0 */
/* What the fast path needs to know of a packet, from where nearly all of them have it. */
#ifndef LVSJ_FAST_PARSE_H
#define LVSJ_FAST_PARSE_H

#include "parse.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER 8

static __always_inline int fast_parse_ipv4(const struct iphdr *ip, const void *end,
					   struct flow *flow)
{
	if ((const void *)(ip + 1) > end || *(const __u8 *)ip != 0x45 ||
	    ip->frag_off & bpf_htons(IP_FRAGMENT))
		return 0;
	address_set_v4(flow_source(flow), ip->saddr);
	address_set_v4(flow_destination(flow), ip->daddr);
	flow->family = 4;
	flow->key.protocol = ip->protocol;
	flow->ttl = ip->ttl;
	flow->dscp = ip->tos >> 2;
	flow->length = bpf_ntohs(ip->tot_len);
	return 1;
}

static __always_inline int fast_parse_ipv6(const struct ipv6hdr *ip, const void *end,
					   struct flow *flow)
{
	if ((const void *)(ip + 1) > end || ip->version != 6 || !ip->payload_len)
		return 0;
	__builtin_memcpy(flow_source(flow), &ip->saddr, sizeof(struct address));
	__builtin_memcpy(flow_destination(flow), &ip->daddr, sizeof(struct address));
	flow->family = 6;
	flow->key.protocol = ip->nexthdr;
	flow->ttl = ip->hop_limit;
	flow->dscp = ip->priority << 2 | ip->flow_lbl[0] >> 6;
	flow->length = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	return 1;
}

static __always_inline int fast_parse_transport(const __u8 *transport, const void *end,
						struct flow *flow)
{
	const __be16 *ports = (const __be16 *)transport;
	int in = flow->direction == DIRECTION_IN;

	/* First: what this leaves behind flow_parse() must not take for its own. */
	if (flow->key.protocol != IPPROTO_TCP && flow->key.protocol != IPPROTO_UDP)
		return 0;
	if (transport + UDP_HEADER > (const __u8 *)end)
		return 0;
	flow->key.client_port = ports[in ? 0 : 1];
	flow->key.server_port = ports[in ? 1 : 0];
	if (flow->key.protocol == IPPROTO_UDP)
		return 1;
	if (transport + TCP_FLAGS_OFFSET + 1 > (const __u8 *)end)
		return 0;
	flow->tcp_flags = transport[TCP_FLAGS_OFFSET];
	return 1;
}

/*
 * Finds in TCP and UDP without anything odd what flow_parse() does, and nothing in all else: most packets need no
 * more, and here each instruction counts. start: a constant.
 */
static __always_inline int fast_parse(struct __sk_buff *skb, struct flow *flow, __u32 start,
				      int direction)
{
	const void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 header = IPV4_HEADER;

	flow->direction = direction;
	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (!fast_parse_ipv4(data + start, end, flow) ||
		    !fast_parse_transport(data + start + IPV4_HEADER, end, flow))
			return 0;
	} else {
		header = IPV6_HEADER;
		if (skb->protocol != bpf_htons(ETH_P_IPV6) ||
		    !fast_parse_ipv6(data + start, end, flow) ||
		    !fast_parse_transport(data + start + IPV6_HEADER, end, flow))
			return 0;
	}
	flow->start = start;
	flow->transport = start + header;
	flow->packets = skb->gso_segs ?: 1;
	flow->plain = 1;
	return 1;
}

#endif
