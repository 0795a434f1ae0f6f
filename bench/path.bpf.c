// SPDX-License-Identifier: GPL-2.0
/*
 * The two ends of the whole path: who sends (run by BPF_PROG_TEST_RUN, `repeat` says how many packets),
 * clients and servers, and what counts and drops, or answers, at the other end. Between them, the floor:
 * a gateway that looks at nothing.
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
#define SERVER_PORT 7

/* What is sent: set by bench/path/send.ts. */
struct load {
	__u64 sent; /* so far, failures too: it says which flow is next */
	__u64 failed;
	__u32 flows; /* they come in turn */
	__u32 ifindex; /* the clients' */
};

/* A frame up to the ports, and the number of its flow behind them. */
struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	__u32 flow;
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct load);
} load SEC(".maps");

/* How the outside saw a flow last: what an answer is made of. */
struct way {
	__u32 ifindex;
	__be32 address;
	__be16 port;
	__u8 hop[ETH_ALEN];
};

#define FLOWS_MOST (1 << 20)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FLOWS_MOST);
	__type(key, __u32);
	__type(value, struct way);
} ways SEC(".maps");

static __always_inline void ip_sum(struct frame *frame)
{
	__u16 *words = (void *)frame + ETH_HLEN;
	__u32 sum = 0;

	frame->ip.check = 0;
#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	frame->ip.check = ~sum;
}

/* From the clients. */
SEC("tc")
int send_up(struct __sk_buff *skb)
{
	void *end = (void *)(long)skb->data_end;
	struct frame *frame = (void *)(long)skb->data;
	__u32 zero = 0, flow;
	struct load *next = bpf_map_lookup_elem(&load, &zero);

	if (!next || (void *)(frame + 1) > end)
		return TC_ACT_SHOT;
	flow = next->sent++ % next->flows;
	frame->ip.saddr = bpf_htonl(CLIENTS_FIRST + flow % CLIENTS);
	frame->ip.daddr = bpf_htonl(SERVERS_FIRST + flow / PORTS);
	frame->udp.source = bpf_htons(PORTS_FIRST + flow % PORTS);
	frame->flow = flow;
	ip_sum(frame);
	if (bpf_clone_redirect(skb, next->ifindex, 0))
		next->failed++;
	return TC_ACT_OK;
}

/* From the servers, by the link that the flow last came in by. */
SEC("tc")
int send_down(struct __sk_buff *skb)
{
	void *end = (void *)(long)skb->data_end;
	struct frame *frame = (void *)(long)skb->data;
	__u32 zero = 0, flow;
	struct load *next = bpf_map_lookup_elem(&load, &zero);
	struct way *way;

	if (!next || (void *)(frame + 1) > end)
		return TC_ACT_SHOT;
	flow = next->sent++ % next->flows;
	way = bpf_map_lookup_elem(&ways, &flow);
	if (!way)
		return TC_ACT_SHOT;
	__builtin_memcpy(frame->eth.h_dest, way->hop, ETH_ALEN);
	frame->ip.saddr = bpf_htonl(SERVERS_FIRST + flow / PORTS);
	frame->ip.daddr = way->address;
	frame->udp.source = bpf_htons(SERVER_PORT);
	frame->udp.dest = way->port;
	ip_sum(frame);
	if (bpf_clone_redirect(skb, way->ifindex, 0))
		next->failed++;
	return TC_ACT_OK;
}

/* Where packets end: at the ISPs, and the answers at the clients. Programs write the counts. */
struct sink {
	__u64 arrived;
	__u64 answered;
	__u64 answers; /* 1: the ISPs send each packet back, and its way is written down */
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
	struct frame *frame = (void *)(long)skb->data;
	struct way way = { .ifindex = skb->ifindex };
	__u8 spare[ETH_ALEN];

	if ((void *)(frame + 1) > end)
		return TC_ACT_SHOT;
	way.address = frame->ip.saddr;
	way.port = frame->udp.source;
	__builtin_memcpy(way.hop, frame->eth.h_source, ETH_ALEN);
	bpf_map_update_elem(&ways, &frame->flow, &way, BPF_ANY);
	swap(frame->eth.h_source, frame->eth.h_dest, spare, ETH_ALEN);
	swap(&frame->ip.saddr, &frame->ip.daddr, spare, sizeof(frame->ip.saddr));
	swap(&frame->udp.source, &frame->udp.dest, spare, sizeof(frame->udp.source));
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

#define LINKS 256

/* The link on the floor's other side, by its number. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LINKS);
	__type(key, __u32);
	__type(value, __u32);
} across SEC(".maps");

/* On both sides of a router: what no gateway can be cheaper than. */
SEC("tc")
int floor_in(struct __sk_buff *skb)
{
	__u32 from = skb->ifindex, *to = bpf_map_lookup_elem(&across, &from);

	return to && *to ? bpf_redirect(*to, 0) : TC_ACT_OK;
}

/* The same in the driver, before the stack. */
SEC("xdp")
int floor_xdp(struct xdp_md *context)
{
	__u32 from = context->ingress_ifindex, *to = bpf_map_lookup_elem(&across, &from);

	return to && *to ? bpf_redirect(*to, 0) : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
