/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What we ask of the kernel's conntrack: to forget a flow, so that its packet begins anew there and gets
 * the address of another gateway.
 *
 * These are functions of the kernel (kfuncs), open to tc programs alone. Where it lacks them, libbpf
 * finds no bpf_ct_opts either and makes the question below a 0; the verifier then drops the calls,
 * which libbpf left empty (weak). They know TCP and UDP only. What is not forgotten here the daemon
 * forgets a little later: src/kernel/conntrack-dead.ts.
 */
#ifndef LVSJ_CONNTRACK_H
#define LVSJ_CONNTRACK_H

#include <bpf/bpf_core_read.h>
#include "flow.h"

/* Not only declared: libbpf compares the kinds of types with the kernel's. */
struct nf_conn {
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

/* key: as the LAN sees it, which is how the packet will meet conntrack. */
static __noinline int conntrack_forget(struct __sk_buff *skb, const struct conn_key *key)
{
	struct bpf_ct_opts opts = { .netns_id = -1, .l4proto = key->protocol };
	struct bpf_sock_tuple tuple = {};
	__u32 size = sizeof(tuple.ipv6);
	struct nf_conn *entry;

	if (!bpf_core_type_exists(struct bpf_ct_opts))
		return 0;
	if (address_is_v4(&key->client)) {
		size = sizeof(tuple.ipv4);
		tuple.ipv4.saddr = key->client.word[3];
		tuple.ipv4.daddr = key->server.word[3];
		tuple.ipv4.sport = key->client_port;
		tuple.ipv4.dport = key->server_port;
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, &key->client, sizeof(key->client));
		__builtin_memcpy(tuple.ipv6.daddr, &key->server, sizeof(key->server));
		tuple.ipv6.sport = key->client_port;
		tuple.ipv6.dport = key->server_port;
	}
	entry = bpf_skb_ct_lookup(skb, &tuple, size, &opts, sizeof(opts));
	if (!entry)
		return 0;
	bpf_ct_change_timeout(entry, 0);
	bpf_ct_release(entry);
	return 1;
}

#endif
