/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The router's own connections: their packets leave by lvsj0 and come in again on lvsj0p, but the
 * answers end in a socket and pass no program. own: what lvsj_ingress asks about is one of those.
 */
#ifndef LVSJ_OWN_H
#define LVSJ_OWN_H

#include "conn.h"

/*
 * What a socket acknowledges was answered: its first ACK stands for the SYN-ACK that came just
 * before.
 */
static __always_inline void own_answered(struct flow *flow, struct conn *conn, __u64 now, int own)
{
	__u8 flags = flow->tcp_flags;

	if (!own || flow->key.protocol != IPPROTO_TCP || !(flags & TCP_ACK) ||
	    conn->word & WORD_REPLIED)
		return;
	flow->direction = DIRECTION_OUT;
	flow->tcp_flags = TCP_SYN | TCP_ACK;
	conn_advance(flow, conn, now);
	flow->direction = DIRECTION_IN;
	flow->tcp_flags = flags;
}

/*
 * A server's FIN ends in the socket too, so that an entry never comes to TIME_WAIT. But a socket that
 * asks again where it was answered before has begun anew.
 */
static __always_inline int own_is_reused(const struct flow *flow, const struct conn *conn, int own)
{
	struct settings *settings = settings_get();

	return own && settings && settings->conn_reuse_mode && flow->opens &&
	       flow->key.protocol == IPPROTO_TCP && conn->word & WORD_REPLIED &&
	       (conn->word & WORD_STATE) != CONN_SYN_RECV;
}

/* The hop over lvsj0 is none: traceroute shows the networks outside, and a lifetime is what was asked for. */
static __always_inline void own_return_hop(struct __sk_buff *skb)
{
	__u32 v4 = ETH_HLEN + offsetof(struct iphdr, ttl);
	__u32 v6 = ETH_HLEN + offsetof(struct ipv6hdr, hop_limit);
	__u8 pair[2]; /* a checksum counts the protocol in the same 16 bits */
	__be16 before, after;

	if (skb->protocol == bpf_htons(ETH_P_IP)) {
		if (bpf_skb_load_bytes(skb, v4, pair, sizeof(pair)) || pair[0] == 255)
			return;
		__builtin_memcpy(&before, pair, sizeof(before));
		pair[0]++;
		__builtin_memcpy(&after, pair, sizeof(after));
		bpf_l3_csum_replace(skb, ETH_HLEN + offsetof(struct iphdr, check), before, after,
				    sizeof(after));
		bpf_skb_store_bytes(skb, v4, pair, 1, 0);
	} else if (skb->protocol == bpf_htons(ETH_P_IPV6)) {
		if (bpf_skb_load_bytes(skb, v6, pair, 1) || pair[0] == 255)
			return;
		pair[0]++;
		bpf_skb_store_bytes(skb, v6, pair, 1, 0);
	}
}

#endif
