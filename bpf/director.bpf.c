// SPDX-License-Identifier: GPL-2.0
/*
 * The path of a packet, in order:
 *
 *   1. lvsj_ingress (tc, LAN link): from the LAN. Its connection is known: set the gateway bits
 *      of the mark, so that the policy rules route it; else it goes on unchanged.
 *   2. Whoever wants marks it with a service's fwmark; the rules bring it to
 *   3. lvsj_director (lwt_in, the route of marked packets): connection, template, scheduler;
 *      sets the gateway bits and has it routed again.
 *   4. FORWARD, POSTROUTING, SNAT: the stack's own.
 *   5. lvsj_egress (tc, LAN link): the reply, back in the LAN's addresses: moves the state.
 *
 * Each way out is a counted verdict. When in doubt a packet goes on by the main table.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "conn.h"
#include "maps.h"
#include "parse.h"
#include "sched.h"
#include "stats.h"
#include "timer.h"

/* Which bits of a packet's mark hold the gateway: eight in a row, set at load. */
const volatile __u32 mark_mask = 0xff000000;
const volatile __u32 mark_shift = 24;

/*
 * Tells the director that lvsj_ingress has counted this packet, where the admin's own rules
 * overwrite the mark. Nothing else uses tc_index since dsmark left the kernel.
 */
#define TC_INDEX_COUNTED 0x6c76

/* Tries at advancing rr or wrr past another CPU; then a place is used twice, which harms nobody. */
#define CURSOR_TRIES 4

static __always_inline void mark_set(struct __sk_buff *skb, __u32 gateway)
{
	skb->mark = (skb->mark & ~mark_mask) | gateway << mark_shift;
}

/* The id of a slot's gateway; 0 if it was deleted. */
static __always_inline __u32 gateway_of(__u32 slot)
{
	struct slot *config = slot_get(slot);
	struct gateway *gateway;
	__u32 id;

	if (!config)
		return 0;
	id = config->gateway;
	gateway = bpf_map_lookup_elem(&gateways, &id);
	return gateway && gateway->flags & GATEWAY_PRESENT ? id : 0;
}

/* A SYN on a finished connection is a new one: its old gateway has no claim to it. */
static __always_inline int conn_is_reused(const struct flow *flow, const struct conn *conn)
{
	__u32 state = conn->word & WORD_STATE;

	return flow->key.protocol == IPPROTO_TCP && flow->opens &&
	       (state == CONN_TIME_WAIT || state == CONN_CLOSE);
}

static __always_inline int ingress(struct __sk_buff *skb)
{
	struct reader reader = { .skb = skb, .relative = 1 };
	__u64 now = bpf_ktime_get_coarse_ns();
	struct flow flow;
	struct conn *conn;
	__u32 gateway;
	int verdict;

	if (skb->vlan_present)
		return VERDICT_TAGGED;
	if (skb->pkt_type != PACKET_HOST)
		return VERDICT_MULTICAST;
	verdict = flow_parse(&reader, &flow, DIRECTION_IN);
	if (verdict)
		return verdict;
	conn = conn_find(&flow.key, now);
	if (!conn || conn_is_reused(&flow, conn))
		return VERDICT_UNKNOWN;
	gateway = gateway_of(conn->slot);
	if (!gateway)
		return VERDICT_GATEWAY_GONE;
	conn_advance(&flow, conn, now);
	stats_count(conn->slot, &flow, 0);
	mark_set(skb, gateway);
	skb->tc_index = TC_INDEX_COUNTED;
	return VERDICT_KNOWN;
}

SEC("tc")
int lvsj_ingress(struct __sk_buff *skb)
{
	skb->tc_index = 0;
	verdict_count(HOOK_INGRESS, ingress(skb));
	return TC_ACT_UNSPEC;
}

static __always_inline int egress(struct __sk_buff *skb)
{
	struct reader reader = { .skb = skb, .relative = 1 };
	__u64 now = bpf_ktime_get_coarse_ns();
	struct flow flow;
	struct conn *conn;
	int verdict = flow_parse(&reader, &flow, DIRECTION_OUT);

	if (verdict)
		return verdict;
	conn = conn_find(&flow.key, now);
	if (!conn)
		return VERDICT_UNKNOWN;
	conn_advance(&flow, conn, now);
	stats_count(conn->slot, &flow, 0);
	return VERDICT_KNOWN;
}

SEC("tc")
int lvsj_egress(struct __sk_buff *skb)
{
	verdict_count(HOOK_EGRESS, egress(skb));
	return TC_ACT_UNSPEC;
}

static __always_inline struct service *service_find(__u32 fwmark, __u32 family)
{
	struct service_key key = { .fwmark = fwmark, .family = family };
	void *config = bpf_map_lookup_elem(&services, &key);
	__u32 zero = 0;

	return config ? bpf_map_lookup_elem(config, &zero) : NULL;
}

/* Publishes where rr or wrr stands now, unless another CPU was faster. */
static __always_inline int cursor_publish(struct service_cursor *cursor,
					  const struct service_cursor *from,
					  const struct service_cursor *to)
{
	__u64 old = (__u64)from->current << 32 | from->position;
	__u64 next = (__u64)to->current << 32 | to->position;

	return old == next || __sync_val_compare_and_swap((__u64 *)cursor, old, next) == old;
}

/* Global, so that the verifier checks it once, not at each try of each path that leads to it. */
__noinline __u32 schedule_once(const struct service *service, struct service_cursor *cursor,
			       const struct conn_key *key)
{
	return service && cursor && key ? sched_pick(service, cursor, key) : 0;
}

static __always_inline __u32 schedule(const struct service *service, const struct conn_key *key)
{
	struct service_cursor *cursor;
	__u32 index = service->index, slot = 0;

	cursor = bpf_map_lookup_elem(&service_cursors, &index);
	if (!cursor)
		return 0;
	for (int i = 0; i < CURSOR_TRIES; i++) {
		struct service_cursor from = *cursor, to = from;

		slot = schedule_once(service, &to, key);
		if (cursor_publish(cursor, &from, &to))
			break;
	}
	return slot;
}

struct choice {
	__u32 slot;
	struct conn *template; /* that controls the new connection, or NULL */
	int verdict;
};

static __always_inline int slot_is_usable(__u32 slot)
{
	struct slot *config = slot_get(slot);

	return config && config->configured && config->weight;
}

/* Another gateway for a client whose template points to a drained or deleted one. */
static __always_inline void template_move(struct conn *template, __u32 slot)
{
	__u32 old = __sync_lock_test_and_set(&template->slot, slot);

	slot_count_templates(old, -1);
	slot_count_templates(slot, 1);
}

static __always_inline void template_create(struct choice *choice, struct conn_key *key,
					    const struct service *service, __u32 fwmark, __u64 now)
{
	struct conn template = { .seen_ns = now,
				 .word = CONN_TEMPLATE,
				 .slot = choice->slot,
				 .fwmark = fwmark,
				 .timeout_s = service->persistence_s };
	int verdict = conn_store(key, &template);

	if (verdict == VERDICT_TABLE_FULL)
		return;
	if (verdict == VERDICT_NEW)
		slot_count_templates(choice->slot, 1);
	choice->template = conn_find(key, now);
	/* Two first packets of one client at once: both take what the first one chose. */
	if (verdict == VERDICT_RACE && choice->template)
		choice->slot = choice->template->slot;
}

/* The gateway of a new connection: its client's, or the scheduler's. slot 0 = none. */
static __always_inline void choose(struct choice *choice, const struct service *service,
				   struct flow *flow, __u32 fwmark, __u64 now)
{
	struct conn_key key;

	choice->verdict = VERDICT_NEW;
	choice->template = NULL;
	if (service->persistence_s) {
		template_key(&key, &flow->key.client, fwmark, service->netmask);
		choice->template = conn_find(&key, now);
	}
	if (choice->template) {
		choice->template->seen_ns = now;
		choice->slot = choice->template->slot;
		choice->verdict = VERDICT_TEMPLATE;
		if (slot_is_usable(choice->slot))
			return;
		choice->verdict = VERDICT_NEW;
	}
	choice->slot = schedule(service, &flow->key);
	if (!choice->slot)
		return;
	if (choice->template)
		template_move(choice->template, choice->slot);
	else if (service->persistence_s)
		template_create(choice, &key, service, fwmark, now);
}

/* A packet without a live connection: *gateway is set if one is found for it. */
static __always_inline int open_connection(struct flow *flow, __u32 fwmark, __u32 *gateway,
					   __u64 now)
{
	struct service *service = service_find(fwmark, flow->family);
	struct choice choice = {};
	int verdict;
	__u32 id;

	if (!service)
		return VERDICT_NO_SERVICE;
	if (!flow->opens)
		return VERDICT_MIDSTREAM;
	/* The stack answers it and never forwards it: no reply would ever end the entry. */
	if (flow->ttl <= 1)
		return VERDICT_TTL;
	choose(&choice, service, flow, fwmark, now);
	id = choice.slot ? gateway_of(choice.slot) : 0;
	if (!id)
		return VERDICT_NO_GATEWAY;
	*gateway = id;
	verdict = conn_create(flow, service, fwmark, choice.slot, choice.template, now);
	if (verdict == VERDICT_RACE) {
		struct conn *conn = conn_find(&flow->key, now);

		if (conn && gateway_of(conn->slot))
			*gateway = gateway_of(conn->slot);
		return VERDICT_RACE;
	}
	stats_count(choice.slot, flow, 1);
	return verdict == VERDICT_NEW ? choice.verdict : verdict;
}

static __always_inline int direct(struct __sk_buff *skb, __u32 *gateway)
{
	struct reader reader = { .skb = skb };
	__u64 now = bpf_ktime_get_coarse_ns();
	__u32 mark = skb->mark;
	struct flow flow;
	struct conn *conn;
	int verdict;

	if (mark & mark_mask)
		return VERDICT_LOOP;
	verdict = flow_parse(&reader, &flow, DIRECTION_IN);
	if (verdict)
		return verdict;
	conn = conn_find(&flow.key, now);
	if (conn && !conn_is_reused(&flow, conn)) {
		__u32 id = gateway_of(conn->slot);

		if (id) {
			if (skb->tc_index != TC_INDEX_COUNTED) {
				conn_advance(&flow, conn, now);
				stats_count(conn->slot, &flow, 0);
			}
			*gateway = id;
			return VERDICT_KNOWN;
		}
		if (!flow.opens)
			return VERDICT_GATEWAY_GONE;
	}
	if (conn)
		conn_remove(&flow.key, conn);
	return open_connection(&flow, mark, gateway, now);
}

SEC("lwt_in")
int lvsj_director(struct __sk_buff *skb)
{
	__u32 gateway = GATEWAY_NONE;

	verdict_count(HOOK_DIRECTOR, direct(skb, &gateway));
	mark_set(skb, gateway);
	return BPF_LWT_REROUTE;
}

/*
 * Run by user space (BPF_PROG_TEST_RUN) once at start, and again if the timers were lost. Of
 * type tc for the timers' sake: syscall programs may not read the coarse clock.
 */
SEC("tc")
int lvsj_start(struct __sk_buff *skb)
{
	return clocks_start();
}

/* Run by user space after it changed a service's gateways, so that rr and wrr follow. */
SEC("syscall")
int lvsj_edited(struct edit_request *request)
{
	__u32 index = request->service;
	struct service_cursor *cursor = bpf_map_lookup_elem(&service_cursors, &index);
	struct service *service = service_find(request->key.fwmark, request->key.family);

	if (!cursor || !service)
		return -1;
	sched_edited(service, cursor, request->edit, request->place);
	return 0;
}

/* clang leaves out of the BTF what only code uses; gen-abi.ts reads these from there. */
struct abi_exports {
	enum abi abi;
	enum limits limits;
	enum scheduler scheduler;
	enum scheduler_flag scheduler_flag;
	enum hook hook;
	enum verdict verdict;
	enum conn_state conn_state;
	enum conn_word conn_word;
	enum gateway_flag gateway_flag;
	enum edit edit;
	struct conn_key conn_key;
	struct conn conn;
	struct service service;
	struct edit_request edit_request;
} *abi_exports __attribute__((unused));

char _license[] SEC("license") = "GPL";
