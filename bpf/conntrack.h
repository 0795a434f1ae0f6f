/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What we ask of the kernel's conntrack: to forget a flow, so that its packet begins anew there and gets
 * the address of another gateway; and what it knows of one, for the fast path.
 *
 * These are functions of the kernel (kfuncs), open to tc programs alone. Where it lacks them, libbpf
 * finds no bpf_ct_opts either and makes the question below a 0; the verifier then drops the calls,
 * which libbpf left empty (weak). They know TCP and UDP only. What is not forgotten here the daemon
 * forgets a little later: src/kernel/conntrack-dead.ts.
 */
#ifndef LVSJ_CONNTRACK_H
#define LVSJ_CONNTRACK_H

#include <bpf/bpf_core_read.h>
#include "fast_table.h"
#include "flow.h"

/* As much of the kernel's types as is read; libbpf finds the members in those of the kernel that runs. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
union nf_inet_addr {
	__be32 ip6[4];
};

union nf_conntrack_man_proto {
	__be16 all;
};

struct nf_conntrack_man {
	union nf_inet_addr u3;
	union nf_conntrack_man_proto u;
};

struct nf_conntrack_tuple {
	struct nf_conntrack_man src;
	struct {
		union nf_inet_addr u3;
		union {
			__be16 all;
		} u;
	} dst;
};

struct nf_conntrack_tuple_hash {
	struct nf_conntrack_tuple tuple;
};

struct nf_conn {
	__u32 timeout; /* jiffies, the lower half */
	struct nf_conntrack_tuple_hash tuplehash[2];
	unsigned long status;
	__u32 mark;
};
#pragma clang attribute pop

enum conntrack_status {
	CONNTRACK_ASSURED = 1 << 2,
	/* What only the stack does well: sequence numbers changed, a helper reads, the user's flowtable. */
	CONNTRACK_SEQ_ADJUST = 1 << 6,
	CONNTRACK_DYING = 1 << 9,
	CONNTRACK_HELPER = 1 << 13,
	CONNTRACK_OFFLOAD = 1 << 14,
};

/* The first form, of Linux 5.18, which later ones still take. */
struct bpf_ct_opts {
	__s32 netns_id; /* -1: the packet's own */
	__s32 error;
	__u8 l4proto;
	__u8 dir;
	__u8 reserved[2];
};

extern struct nf_conn *bpf_skb_ct_lookup(struct __sk_buff *skb, struct bpf_sock_tuple *tuple,
					 __u32 tuple_size, struct bpf_ct_opts *opts,
					 __u32 opts_size) __ksym __weak;
extern int bpf_ct_change_timeout(struct nf_conn *entry, __u32 milliseconds) __ksym __weak;
extern void bpf_ct_release(struct nf_conn *entry) __ksym __weak;

/* The entry of which a packet has these addresses, or NULL; the caller releases it. */
static __always_inline struct nf_conn *conntrack_find(struct __sk_buff *skb,
						      const struct conn_key *key, int direction)
{
	struct bpf_ct_opts opts = { .netns_id = -1, .l4proto = key->protocol };
	struct bpf_sock_tuple tuple = {};
	int in = direction == DIRECTION_IN;
	const struct address *from = in ? &key->client : &key->server;
	const struct address *to = in ? &key->server : &key->client;
	__be16 sport = in ? key->client_port : key->server_port;
	__be16 dport = in ? key->server_port : key->client_port;
	__u32 size = sizeof(tuple.ipv6);

	if (!bpf_core_type_exists(struct bpf_ct_opts))
		return NULL;
	if (address_is_v4(from)) {
		size = sizeof(tuple.ipv4);
		tuple.ipv4.saddr = from->word[3];
		tuple.ipv4.daddr = to->word[3];
		tuple.ipv4.sport = sport;
		tuple.ipv4.dport = dport;
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, from, sizeof(*from));
		__builtin_memcpy(tuple.ipv6.daddr, to, sizeof(*to));
		tuple.ipv6.sport = sport;
		tuple.ipv6.dport = dport;
	}
	return bpf_skb_ct_lookup(skb, &tuple, size, &opts, sizeof(opts));
}

/* key: as the LAN sees it, which is how the packet will meet conntrack. */
static __noinline int conntrack_forget(struct __sk_buff *skb, const struct conn_key *key)
{
	struct nf_conn *entry = conntrack_find(skb, key, DIRECTION_IN);

	if (!entry)
		return 0;
	bpf_ct_change_timeout(entry, 0);
	bpf_ct_release(entry);
	return 1;
}

/* What conntrack says of a connection, in our words. */
struct conntrack_view {
	struct conn_key lan; /* as the LAN sees it */
	struct address address; /* what the uplink knows instead of the client */
	__be16 port;
	__u8 settled; /* may pass conntrack by, for a while */
	__u8 gateway; /* of its mark */
	__u32 left; /* jiffies */
};

static __always_inline void conntrack_address(struct address *address, int v4,
					      const union nf_inet_addr *from)
{
	if (v4) {
		address_set_v4(address, from->ip6[0]);
		return;
	}
	for (int i = 0; i < 4; i++)
		address->word[i] = from->ip6[i];
}

/* Of the connection of which a packet has this key. 0: conntrack knows none, or translates its server, too. */
static __noinline int conntrack_view(struct __sk_buff *skb, const struct conn_key *key,
				     __u32 direction, struct conntrack_view *view)
{
	const __u32 odd =
		CONNTRACK_SEQ_ADJUST | CONNTRACK_DYING | CONNTRACK_HELPER | CONNTRACK_OFFLOAD;
	struct settings *settings = settings_get();
	int v4 = address_is_v4(&key->server), same;
	struct nf_conn *entry;

	if (!settings)
		return 0;
	entry = conntrack_find(skb, key, direction);
	if (!entry)
		return 0;
	view->lan = *key;
	conntrack_address(&view->lan.client, v4, &entry->tuplehash[0].tuple.src.u3);
	conntrack_address(&view->address, v4, &entry->tuplehash[1].tuple.dst.u3);
	view->lan.client_port = entry->tuplehash[0].tuple.src.u.all;
	view->port = entry->tuplehash[1].tuple.dst.u.all;
	view->settled = (entry->status & (odd | CONNTRACK_ASSURED)) == CONNTRACK_ASSURED;
	view->gateway = (entry->mark & settings->mark_mask) >> settings->mark_shift;
	view->left = entry->timeout - (__u32)bpf_jiffies64();
	same = entry->tuplehash[0].tuple.dst.u.all == key->server_port &&
	       entry->tuplehash[1].tuple.src.u.all == key->server_port;
	for (int i = 0; i < (v4 ? 1 : 4); i++) {
		__be32 word = key->server.word[v4 ? 3 : i];

		same = same && entry->tuplehash[0].tuple.dst.u3.ip6[i] == word &&
		       entry->tuplehash[1].tuple.src.u3.ip6[i] == word;
	}
	bpf_ct_release(entry);
	return same;
}

#endif
