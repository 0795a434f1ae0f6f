// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the director's own programs on many packets, for BPF_PROG_TEST_RUN with `repeat`.
 *
 * The kernel repeats with one and the same packet, and the mark that the director sets would stay
 * in it: from the second run on each would be a `loop`. So each run begins here: this writes the
 * packet's flow and mark anew and tail-calls what is measured. The same with a target that does
 * nothing is subtracted: see docs/bench.md.
 *
 * lwt_in programs may not write packets, lwt_xmit programs may, and else both can do the same. So
 * the director is compiled once more as lwt_xmit; bench/drive.ts checks that the kernel made as
 * much machine code of it as of the real one.
 */
#include "../bpf/director.bpf.c"
#include <linux/udp.h>

#define CLIENTS_FIRST 0x0a000000 /* 10.0.0.0 */
#define PORTS_FIRST 1024
#define SERVERS_FIRST 0xc6336400 /* 198.51.100.0 */

/* What is sent: set by bench/drive.ts. */
struct drive {
	__u64 runs; /* so far: it says which flow is next */
	__u64 astray; /* runs that did not reach the target */
	__u32 flows; /* they come in turn */
	__u32 clients; /* that the flows belong to, in turn */
	__u32 mark; /* of a packet on its way to the director */
	__u32 scattered; /* clients are anywhere, not in a row */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct drive);
} drive SEC(".maps");

/* Programs of one kind each: the kernel refuses to mix them. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} tc_target SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} lwt_target SEC(".maps");

/* As one shard of the connection table, and as full as the table is in these measurements. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, struct conn_key);
	__type(value, struct conn);
} reference SEC(".maps");

static __always_inline struct drive *drive_next(struct __sk_buff *skb, __u32 link_header)
{
	void *end = (void *)(long)skb->data_end;
	struct iphdr *ip = (void *)(long)skb->data + link_header;
	struct udphdr *udp = (void *)(ip + 1);
	__u32 zero = 0, flow, client;
	struct drive *next = bpf_map_lookup_elem(&drive, &zero);

	if (!next || (void *)(udp + 1) > end)
		return NULL;
	flow = next->runs++ % next->flows;
	client = flow % next->clients;
	if (next->scattered)
		client *= 0x9e3779b1; /* odd: no two become one */
	ip->saddr = bpf_htonl(CLIENTS_FIRST + client);
	udp->source = bpf_htons(PORTS_FIRST + flow / next->clients);
	return next;
}

SEC("tc")
int drive_tc(struct __sk_buff *skb)
{
	struct drive *next = drive_next(skb, ETH_HLEN);

	if (!next)
		return TC_ACT_SHOT;
	bpf_tail_call(skb, &tc_target, 0);
	next->astray++;
	return TC_ACT_SHOT;
}

SEC("lwt_xmit")
int drive_lwt(struct __sk_buff *skb)
{
	struct drive *next = drive_next(skb, 0);

	if (!next)
		return BPF_DROP;
	skb->mark = next->mark;
	bpf_tail_call(skb, &lwt_target, 0);
	next->astray++;
	return BPF_DROP;
}

/* lvsj_director, word for word. */
SEC("lwt_xmit")
int bench_director(struct __sk_buff *skb)
{
	__u32 gateway = GATEWAY_NONE;
	int verdict = direct(skb, &gateway);

	verdict_count(HOOK_DIRECTOR, verdict);
	if (verdict == VERDICT_DROPPED)
		return BPF_DROP;
	mark_set(skb, gateway);
	return BPF_LWT_REROUTE;
}

SEC("tc")
int empty_tc(struct __sk_buff *skb)
{
	return TC_ACT_UNSPEC;
}

SEC("lwt_xmit")
int empty_lwt(struct __sk_buff *skb)
{
	return BPF_OK;
}

/*
 * The least that any connection table does: the key off the packet, unchecked, and one look-up;
 * of a new connection an insert too.
 */
static __always_inline int refer(struct __sk_buff *skb, __u32 link_header)
{
	struct reader reader = { .skb = skb, .offset = link_header };
	struct conn_key key = {};
	struct conn conn = {};
	struct iphdr ip;
	__be16 ports[2];

	if (read_bytes(&reader, &ip, sizeof(ip)))
		return 0;
	reader.offset += sizeof(ip);
	if (read_bytes(&reader, ports, sizeof(ports)))
		return 0;
	address_set_v4(&key.client, ip.saddr);
	address_set_v4(&key.server, ip.daddr);
	key.client_port = ports[0];
	key.server_port = ports[1];
	key.protocol = ip.protocol;
	if (!bpf_map_lookup_elem(&reference, &key))
		bpf_map_update_elem(&reference, &key, &conn, BPF_NOEXIST);
	return 0;
}

SEC("tc")
int lookup_tc(struct __sk_buff *skb)
{
	return refer(skb, ETH_HLEN);
}

SEC("lwt_xmit")
int lookup_lwt(struct __sk_buff *skb)
{
	return refer(skb, 0);
}

/* Takes the packet's connection and its client's template away: it is new again. */
SEC("lwt_xmit")
int forget(struct __sk_buff *skb)
{
	__u64 now = bpf_ktime_get_coarse_ns();
	struct conn_key template;
	struct flow flow = {};
	struct conn *conn;

	if (flow_parse(skb, &flow, 0, DIRECTION_IN))
		return BPF_DROP;
	conn = conn_find(&flow.key, now);
	if (conn)
		conn_remove(&flow.key, conn);
	template_key(&template, &flow.key, skb->mark, 0xffffffff, PERSISTENCE_SOURCE);
	conn = conn_find(&template, now);
	if (conn)
		conn_remove(&template, conn);
	return BPF_OK;
}

#define PICKS 16384

/* Decisions without packets: set by bench/drive.ts. */
struct decide {
	__u32 count; /* of decisions */
	__u32 clients; /* they come in turn, and so do servers */
	__u32 servers;
	__u32 keeps; /* each makes an active connection */
	__u32 asks; /* 0: all but the scheduler, to be subtracted */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct decide);
} decide SEC(".maps");

/* Whom the scheduler chose, by the number of the decision. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PICKS);
	__type(key, __u32);
	__type(value, __u32);
} picks SEC(".maps");

struct decision {
	const struct decide *decide;
	const struct service *service;
};

static long decide_one(__u32 i, struct decision *decision)
{
	const struct decide *decide = decision->decide;
	struct conn_key key = { .client_port = bpf_htons(i), .protocol = IPPROTO_TCP };
	__u32 at = i % PICKS, slot = 0, *pick = bpf_map_lookup_elem(&picks, &at);

	address_set_v4(&key.client, bpf_htonl(CLIENTS_FIRST + i % decide->clients));
	address_set_v4(&key.server, bpf_htonl(SERVERS_FIRST + i % decide->servers));
	if (decide->asks)
		slot = schedule(decision->service, &key, 0);
	if (pick)
		*pick = slot;
	if (decide->keeps && slot) {
		slot_count(slot, 1, 0);
		load_open(slot, 0);
	}
	return 0;
}

SEC("tc")
int decide_all(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct decision decision = { .decide = bpf_map_lookup_elem(&decide, &zero),
				     .service = service_find(skb->mark, 4, 0) };

	if (!decision.decide || !decision.service)
		return -1;
	return bpf_loop(decision.decide->count, decide_one, &decision, 0);
}

static long clear_entry(void *map, struct conn_key *key, struct conn *conn, void *nothing)
{
	bpf_map_delete_elem(map, key);
	return 0;
}

static long clear_shard(__u32 index, void *nothing)
{
	void *shard = bpf_map_lookup_elem(&connections, &index);

	if (shard)
		bpf_for_each_map_elem(shard, clear_entry, NULL, 0);
	return 0;
}

/*
 * Empties the tables in place. With new ones in their place each round would pay the host of a
 * virtual machine for pages that it has never touched, and a table is made only once.
 */
SEC("tc")
int clear_tables(struct __sk_buff *skb)
{
	bpf_loop(SHARDS, clear_shard, NULL, 0);
	bpf_for_each_map_elem(&reference, clear_entry, NULL, 0);
	return 0;
}

/* What the expiry timer does with one shard; the mark says which. */
SEC("tc")
int sweep_one(struct __sk_buff *skb)
{
	__u32 at = skb->mark, clock = CLOCK_SWEEP;
	struct ticker *ticker = bpf_map_lookup_elem(&clocks, &clock);
	struct sweep sweep = { .now = bpf_ktime_get_coarse_ns(), .ticker = ticker };
	void *shard = bpf_map_lookup_elem(&connections, &at);

	if (!shard || !ticker)
		return 0;
	ticker->gone = 0;
	bpf_for_each_map_elem(shard, sweep_entry, &sweep, 0);
	return ticker->gone >= SWEEP_ENTRIES;
}
