/* SPDX-License-Identifier: GPL-2.0 */
/* Packet -> struct flow. The only file that knows packet formats. */
#ifndef LVSJ_PARSE_H
#define LVSJ_PARSE_H

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include "flow.h"
#include "state.h"

#define IP_FRAGMENT 0x3fff /* more fragments, or an offset */
#define IPV6_FRAGMENT 0xfff9
#define TCP_FLAGS_OFFSET 13
#define SCTP_CHUNKS_OFFSET 12
#define IPV6_EXTENSIONS_MAX 5 /* as many of ours as RFC 8200's order has */

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_ACK = 0x10,
};

/* linux/icmp.h needs the C library's headers, which the BPF target lacks. */
enum icmp_type {
	ICMP_ECHOREPLY = 0,
	ICMP_DEST_UNREACH = 3,
	ICMP_SOURCE_QUENCH = 4,
	ICMP_REDIRECT = 5,
	ICMP_ECHO = 8,
	ICMP_TIME_EXCEEDED = 11,
	ICMP_PARAMETERPROB = 12,
	ICMPV6_DEST_UNREACH = 1,
	ICMPV6_ECHO_REQUEST = 128, /* all below are errors */
	ICMPV6_ECHO_REPLY = 129,
};

struct icmp_echo {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 id;
	__be16 sequence;
};

struct sctp_chunk {
	__u8 type;
	__u8 flags;
	__be16 length; /* of the whole chunk, without what pads it to four bytes */
};

/* What flow_parse reads, and where it is. */
struct reader {
	struct __sk_buff *skb;
	__u32 offset; /* from skb->data */
	__u32 start; /* the offset of the IP header */
};

/* Bytes at the offset, straight from the packet where they lie in its linear part: nearly always. */
static __always_inline int read_bytes(const struct reader *reader, void *to, __u32 length)
{
	void *data = (void *)(long)reader->skb->data + reader->offset;

	if (data + length > (void *)(long)reader->skb->data_end)
		return bpf_skb_load_bytes(reader->skb, reader->offset, to, length);
	/* Headers lie at multiples of four behind the link's; else each byte would be a load of its own. */
	__builtin_memcpy(to, __builtin_assume_aligned(data, 4), length);
	return 0;
}

static __always_inline int parse_ports(struct reader *reader, struct flow *flow)
{
	__be16 ports[2];
	int in = flow->direction == DIRECTION_IN;

	if (read_bytes(reader, ports, sizeof(ports)))
		return VERDICT_TRUNCATED;
	flow->key.client_port = in ? ports[0] : ports[1];
	flow->key.server_port = in ? ports[1] : ports[0];
	return 0;
}

static __always_inline int parse_tcp(struct reader *reader, struct flow *flow)
{
	if (parse_ports(reader, flow))
		return VERDICT_TRUNCATED;
	reader->offset += TCP_FLAGS_OFFSET;
	if (read_bytes(reader, &flow->tcp_flags, 1))
		return VERDICT_TRUNCATED;
	/* A SYN with ACK answers somebody: a connection from outside is not ours to schedule. */
	flow->opens = (flow->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
	return 0;
}

/* What lies behind the IP packet fills the link's frame and is no chunk. */
static __always_inline int read_chunk(const struct reader *reader, const struct flow *flow,
				      struct sctp_chunk *chunk)
{
	if (reader->offset - reader->start + sizeof(*chunk) > flow->length)
		return -1;
	/* Not read_bytes: behind a chunk of any length the verifier knows no bound of a pointer. */
	return bpf_skb_load_bytes(reader->skb, reader->offset, chunk, sizeof(*chunk));
}

static __always_inline int parse_sctp(struct reader *reader, struct flow *flow)
{
	struct sctp_chunk chunk, second;
	__u32 length;

	if (parse_ports(reader, flow))
		return VERDICT_TRUNCATED;
	reader->offset += SCTP_CHUNKS_OFFSET;
	if (read_chunk(reader, flow, &chunk))
		return VERDICT_TRUNCATED;
	flow->sctp_event = sctp_event_of(chunk.type);
	flow->opens = flow->sctp_event == SCTP_EVENT_INIT;
	if (chunk.type != SCTP_CHUNK_COOKIE_ECHO && chunk.type != SCTP_CHUNK_COOKIE_ACK)
		return 0;
	/* Who takes a cookie and refuses the connection says both in one packet. */
	length = bpf_ntohs(chunk.length);
	reader->offset += (length + 3) & ~3U;
	if (length >= sizeof(chunk) && !read_chunk(reader, flow, &second) &&
	    second.type == SCTP_CHUNK_ABORT)
		flow->sctp_event = SCTP_EVENT_ABORT;
	return 0;
}

static __always_inline int parse_icmp(struct reader *reader, struct flow *flow)
{
	struct icmp_echo icmp;
	int request, reply, error;

	if (read_bytes(reader, &icmp, sizeof(icmp)))
		return VERDICT_TRUNCATED;
	if (flow->key.protocol == IPPROTO_ICMP) {
		request = icmp.type == ICMP_ECHO;
		reply = icmp.type == ICMP_ECHOREPLY;
		error = icmp.type == ICMP_DEST_UNREACH || icmp.type == ICMP_SOURCE_QUENCH ||
			icmp.type == ICMP_REDIRECT || icmp.type == ICMP_TIME_EXCEEDED ||
			icmp.type == ICMP_PARAMETERPROB;
	} else {
		request = icmp.type == ICMPV6_ECHO_REQUEST;
		reply = icmp.type == ICMPV6_ECHO_REPLY;
		error = icmp.type < ICMPV6_ECHO_REQUEST;
	}
	if (error)
		return VERDICT_ICMP_ERROR;
	if (request || reply)
		flow->key.client_port = icmp.id;
	flow->opens = !reply;
	return 0;
}

/* quoted: by an ICMP error, which need not show more than eight bytes of it. */
static __always_inline int parse_transport(struct reader *reader, struct flow *flow, int quoted)
{
	switch (flow->key.protocol) {
	case IPPROTO_TCP:
		return quoted ? parse_ports(reader, flow) : parse_tcp(reader, flow);
	case IPPROTO_UDP:
		flow->opens = 1;
		return parse_ports(reader, flow);
	case IPPROTO_SCTP:
		return quoted ? parse_ports(reader, flow) : parse_sctp(reader, flow);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return parse_icmp(reader, flow);
	case 0: /* reserved; our templates use it as key */
		return VERDICT_TRUNCATED;
	default:
		flow->opens = 1;
		return 0;
	}
}

static __always_inline int parse_ipv4(struct reader *reader, struct flow *flow, int quoted)
{
	struct iphdr ip;

	if (read_bytes(reader, &ip, sizeof(ip)) || ip.version != 4 || ip.ihl < 5)
		return VERDICT_TRUNCATED;
	address_set_v4(flow_source(flow), ip.saddr);
	address_set_v4(flow_destination(flow), ip.daddr);
	flow->family = 4;
	flow->ttl = ip.ttl;
	flow->dscp = ip.tos >> 2;
	flow->length = bpf_ntohs(ip.tot_len);
	flow->key.protocol = ip.protocol;
	if ((bpf_ntohl(ip.daddr) & 0xf0000000) == 0xe0000000 || ip.daddr == 0xffffffff)
		return VERDICT_MULTICAST;
	if (ip.frag_off & bpf_htons(IP_FRAGMENT))
		return VERDICT_FRAGMENT;
	reader->offset += ip.ihl * 4;
	flow->transport = reader->offset;
	flow->plain = ip.ihl == 5;
	return parse_transport(reader, flow, quoted);
}

/* One extension header: its protocol's successor, or a verdict; 0 = `protocol` is no extension. */
struct extension {
	__u8 next;
	__u8 length;
	__be16 fragment;
};

static __always_inline int parse_extension(struct reader *reader, struct flow *flow)
{
	struct extension extension;
	__u8 protocol = flow->key.protocol;

	if (protocol != IPPROTO_HOPOPTS && protocol != IPPROTO_ROUTING &&
	    protocol != IPPROTO_DSTOPTS && protocol != IPPROTO_FRAGMENT)
		return 0;
	if (read_bytes(reader, &extension, sizeof(extension)))
		return -VERDICT_TRUNCATED;
	/* A lone fragment (offset 0, none to follow) is a whole packet: RFC 6946. */
	if (protocol == IPPROTO_FRAGMENT && extension.fragment & bpf_htons(IPV6_FRAGMENT))
		return -VERDICT_FRAGMENT;
	reader->offset += protocol == IPPROTO_FRAGMENT ? 8 : (extension.length + 1) * 8;
	flow->key.protocol = extension.next;
	return 1;
}

static __always_inline int parse_ipv6(struct reader *reader, struct flow *flow, int quoted)
{
	struct ipv6hdr ip;
	int more = 1;

	if (read_bytes(reader, &ip, sizeof(ip)) || ip.version != 6)
		return VERDICT_TRUNCATED;
	__builtin_memcpy(flow_source(flow), &ip.saddr, sizeof(struct address));
	__builtin_memcpy(flow_destination(flow), &ip.daddr, sizeof(struct address));
	flow->family = 6;
	flow->ttl = ip.hop_limit;
	flow->dscp = ip.priority << 2 | ip.flow_lbl[0] >> 6;
	flow->length = ip.payload_len ? bpf_ntohs(ip.payload_len) + sizeof(ip) : 0;
	flow->key.protocol = ip.nexthdr;
	if (ip.daddr.s6_addr[0] == 0xff)
		return VERDICT_MULTICAST;
	reader->offset += sizeof(ip);
	flow->transport = reader->offset;
	/* The last look finds the header behind them. Unrolled: Linux 6.1 takes no loop back to where a call returns. */
#pragma unroll
	for (int i = 0; i <= IPV6_EXTENSIONS_MAX; i++)
		if (more > 0)
			more = parse_extension(reader, flow);
	if (more < 0)
		return -more;
	if (more)
		return VERDICT_TRUNCATED;
	flow->plain = flow->transport == reader->offset;
	flow->transport = reader->offset;
	return parse_transport(reader, flow, quoted);
}

/*
 * Fills flow, which is all zeros; 0, or the verdict with which a packet that can't have a connection goes on.
 * start: where the IP header is. A global function: the verifier walks through it once, not in each program.
 */
__noinline int flow_parse(struct __sk_buff *skb, struct flow *flow, __u32 start, __u32 direction)
{
	struct reader reader = { .skb = skb, .offset = start, .start = start };
	int verdict;

	/* The bound is the verifier's. */
	if (!flow || start > ETH_HLEN)
		return VERDICT_TRUNCATED;
	flow->start = start;
	flow->direction = direction;
	flow->packets = skb->gso_segs ?: 1;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		verdict = parse_ipv4(&reader, flow, 0);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		verdict = parse_ipv6(&reader, flow, 0);
	else
		verdict = VERDICT_NOT_IP;
	if (!flow->length)
		flow->length = skb->len - start; /* jumbograms carry no length */
	return verdict;
}

/* The packet from the LAN that an ICMP error is about; fills flow->key. */
static __always_inline int flow_parse_quoted(struct reader *reader, struct flow *flow)
{
	__builtin_memset(flow, 0, sizeof(*flow));
	return reader->skb->protocol == bpf_htons(ETH_P_IP) ? parse_ipv4(reader, flow, 1) :
							      parse_ipv6(reader, flow, 1);
}

#endif
