/* SPDX-License-Identifier: GPL-2.0 */
/* Keys of the connection table: the shard that one lies in, and the template of a connection. */
#ifndef LVSJ_TEMPLATE_H
#define LVSJ_TEMPLATE_H

#include "maps.h"
#include "parse.h"

static __always_inline void *conn_shard(const struct conn_key *key)
{
	__u64 addresses = (__u64)(key->client.word[2] ^ key->client.word[3]) << 32 |
			  (key->server.word[2] ^ key->server.word[3]);
	__u64 ports = (__u64)key->client_port << 16 | key->server_port;
	__u64 hash = (addresses * 0x9e3779b97f4a7c15ULL ^ ports) * 0xd6e8feb86659fd93ULL;
	__u32 shard = (hash >> 32) * SHARDS >> 32;

	return bpf_map_lookup_elem(&connections, &shard);
}

static __always_inline void address_mask(struct address *address, int v4, __u32 netmask)
{
	if (v4) {
		address->word[3] &= netmask;
		return;
	}
	for (int i = 0; i < 4; i++) {
		__u32 bits = netmask > i * 32 ? netmask - i * 32 : 0;

		if (bits < 32)
			address->word[i] &= bpf_htonl(~(0xffffffffU >> bits));
	}
}

/*
 * The key of a connection's template: see struct conn_key. persistence: enum persistence_key;
 * that of a client is IPVS's.
 */
static __always_inline void template_key(struct conn_key *template, const struct conn_key *key,
					 __u32 fwmark, __u32 netmask, __u32 persistence)
{
	int v4 = address_is_v4(&key->client);

	__builtin_memset(template, 0, sizeof(*template));
	template->persistence = persistence;
	if (v4)
		address_set_v4(&template->client, 0);
	if (persistence != PERSISTENCE_DESTINATION) {
		template->client = key->client;
		address_mask(&template->client, v4, netmask);
	}
	if (persistence == PERSISTENCE_SOURCE) {
		if (v4)
			address_set_v4(&template->server, bpf_htonl(fwmark));
		else
			template->server.word[0] = bpf_htonl(fwmark);
		return;
	}
	template->server = key->server;
	address_mask(&template->server, v4, netmask);
	template->client_port = bpf_htons(fwmark >> 16);
	template->server_port = bpf_htons(fwmark);
}

static __always_inline struct conn *template_of(const struct conn_key *key, const struct conn *conn)
{
	struct slot *config = slot_get(conn->slot);
	struct conn_key template;
	void *shard;

	if (!config)
		return NULL;
	template_key(&template, key, config->fwmark, conn->netmask,
		     (conn->word & WORD_PERSISTENCE) >> WORD_PERSISTENCE_SHIFT);
	shard = conn_shard(&template);
	return shard ? bpf_map_lookup_elem(shard, &template) : NULL;
}

#endif
