/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs know of a packet, whatever its format: filled in by parse.h. */
#ifndef LVSJ_FLOW_H
#define LVSJ_FLOW_H

#include "abi.h"

#define NS_PER_S 1000000000ULL

/* Which way a packet goes: it says which address is the client's. */
enum direction {
	DIRECTION_IN = 0, /* from the LAN; IPVS's word */
	DIRECTION_OUT = 1, /* to the LAN */
};

/*
 * Tells the director that lvsj_ingress has counted this packet, where the admin's own rules
 * overwrite the mark. Nothing else uses tc_index since dsmark left the kernel.
 */
#define TC_INDEX_COUNTED 0x6c76
/* Or that it is the router's own, whose answers no program sees. */
#define TC_INDEX_OWN 0x6c77
/* Tells the next program that it took the fast path. */
#define TC_INDEX_FAST 0x6c78
/* Or that its connection may, once the stack has sent this one on: with its DSCP. Counted, too. */
#define TC_INDEX_LEARN 0x6d00
#define TC_INDEX_DSCP 0x3f

struct flow {
	struct conn_key key;
	__u16 family; /* 4 or 6 */
	__u16 own; /* TC_INDEX_OWN: the router's, no program sees what answers it */
	__u32 start; /* offset of the IP header from skb->data */
	__u32 transport; /* offset of what follows it */
	__u32 length; /* of the IP packet, in bytes */
	__u32 packets; /* on the wire: more than one behind GRO */
	union {
		__u8 tcp_flags;
		__u8 sctp_event; /* enum sctp_event */
	};
	__u8 ttl;
	__u8 dscp;
	__u8 opens; /* may begin a connection: no answer, no mid-stream segment */
	__u8 direction; /* enum direction */
	__u8 plain; /* no IP options, no extension headers */
	__u8 learns; /* the fast path may learn its connection by it */
};

static __always_inline int tc_index_learns(__u16 tc_index)
{
	return (tc_index & ~TC_INDEX_DSCP) == TC_INDEX_LEARN;
}

static __always_inline int tc_index_is_counted(__u16 tc_index)
{
	return tc_index == TC_INDEX_COUNTED || tc_index_learns(tc_index);
}

static __always_inline void address_set_v4(struct address *address, __be32 v4)
{
	address->word[0] = 0;
	address->word[1] = 0;
	address->word[2] = bpf_htonl(0xffff);
	address->word[3] = v4;
}

static __always_inline int address_is_v4(const struct address *address)
{
	return !address->word[0] && !address->word[1] && address->word[2] == bpf_htonl(0xffff);
}

static __always_inline int address_differs(const struct address *a, const struct address *b)
{
	return (a->word[0] ^ b->word[0]) | (a->word[1] ^ b->word[1]) | (a->word[2] ^ b->word[2]) |
	       (a->word[3] ^ b->word[3]);
}

static __always_inline struct address *flow_source(struct flow *flow)
{
	return flow->direction == DIRECTION_IN ? &flow->key.client : &flow->key.server;
}

static __always_inline struct address *flow_destination(struct flow *flow)
{
	return flow->direction == DIRECTION_IN ? &flow->key.server : &flow->key.client;
}

#endif
