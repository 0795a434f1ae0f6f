// SPDX-License-Identifier: GPL-2.0
/*
 * The two ends of the whole path: a client that sends (run by BPF_PROG_TEST_RUN, `repeat` says how
 * many packets), and a host that counts and drops, or answers, what arrives on its link.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#define CLIENTS_FIRST 0x0a00000b /* 10.0.0.11 to .42: the lab's clients */
#define CLIENTS 32
#define SERVERS_FIRST 0xc633640a /* 198.51.100.10 */
/* No two flows to one server have the same source port, so that SNAT keeps them all. */
#define PORTS_FIRST 1024
#define PORTS 60000

/* What is sent: set by bench/send.ts. */
struct load {
	__u64 sent; /* so far, failures too: it says which flow is next */
	__u64 failed;
	__u32 flows; /* they come in turn */
	__u32 ifindex;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct load);
} load SEC(".maps");

static __always_inline void ip_sum(struct iphdr *ip)
{
	__u16 *words = (__u16 *)ip;
	__u32 sum = 0;

	ip->check = 0;
#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip->check = ~sum;
}

SEC("tc")
int send(struct __sk_buff *skb)
{
	void *end = (void *)(long)skb->data_end;
	struct iphdr *ip = (void *)(long)skb->data + ETH_HLEN;
	struct udphdr *udp = (void *)(ip + 1);
	__u32 zero = 0, flow;
	struct load *next = bpf_map_lookup_elem(&load, &zero);

	if (!next || (void *)(udp + 1) > end)
		return TC_ACT_SHOT;
	flow = next->sent++ % next->flows;
	ip->saddr = bpf_htonl(CLIENTS_FIRST + flow % CLIENTS);
	ip->daddr = bpf_htonl(SERVERS_FIRST + flow / PORTS);
	udp->source = bpf_htons(PORTS_FIRST + flow % PORTS);
	ip_sum(ip);
	if (bpf_clone_redirect(skb, next->ifindex, 0))
		next->failed++;
	return TC_ACT_OK;
}

/* Where packets end: at the ISPs, and the answers at the clients. Programs write the counts. */
struct sink {
	__u64 arrived;
	__u64 answered;
	__u64 answers; /* 1: the ISPs send each packet back */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct sink);
} sink SEC(".maps");

/* The counters, if this is a packet of ours; else (ARP, IPv6's own) it goes on. */
static __always_inline struct sink *sink_of(struct __sk_buff *skb)
{
	void *end = (void *)(long)skb->data_end;
	struct iphdr *ip = (void *)(long)skb->data + ETH_HLEN;
	__u32 zero = 0;

	if (skb->protocol != bpf_htons(ETH_P_IP) || (void *)(ip + 1) > end ||
	    ip->protocol != IPPROTO_UDP)
		return NULL;
	return bpf_map_lookup_elem(&sink, &zero);
}

static __always_inline void swap(void *a, void *b, void *spare, int length)
{
	__builtin_memcpy(spare, a, length);
	__builtin_memcpy(a, b, length);
	__builtin_memcpy(b, spare, length);
}

/* Sends a packet back to where it came from. Sums stay right: it only changes places. */
static __always_inline int answer(struct __sk_buff *skb)
{
	void *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = (void *)(long)skb->data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);
	__u8 spare[ETH_ALEN];

	if ((void *)(udp + 1) > end)
		return TC_ACT_SHOT;
	swap(eth->h_source, eth->h_dest, spare, ETH_ALEN);
	swap(&ip->saddr, &ip->daddr, spare, sizeof(ip->saddr));
	swap(&udp->source, &udp->dest, spare, sizeof(udp->source));
	return bpf_redirect(skb->ifindex, 0);
}

/* At an ISP. The counters are not atomic: the whole path is on one CPU. */
SEC("tc")
int sink_isp(struct __sk_buff *skb)
{
	struct sink *counts = sink_of(skb);

	if (!counts)
		return TC_ACT_OK;
	counts->arrived++;
	return counts->answers ? answer(skb) : TC_ACT_SHOT;
}

/* At the clients. */
SEC("tc")
int sink_client(struct __sk_buff *skb)
{
	struct sink *counts = sink_of(skb);

	if (!counts)
		return TC_ACT_OK;
	counts->answered++;
	return TC_ACT_SHOT;
}

char _license[] SEC("license") = "GPL";
