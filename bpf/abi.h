/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every struct and number that user space sees, and nothing else.
 * src/kernel/abi.gen.ts is generated from the BTF of these (make generate).
 */
#ifndef LVSJ_ABI_H
#define LVSJ_ABI_H

#include <linux/types.h>

/* Bumped when a running director can't be driven by newer tools; see src/kernel/director.ts. */
enum abi {
	ABI_VERSION = 1,
};

enum limits {
	/* Gateway ids are a byte of the mark: 0 = undecided, 255 = decided: no gateway. */
	MAX_GATEWAYS = 254,
	GATEWAY_NONE = 255,
	MAX_SERVICE_GATEWAYS = 64,
	MAX_SERVICES = 4096,
	/* A slot is one gateway of one service; slot 0 means "no slot". */
	MAX_SLOTS = 16384,
	/*
	 * The connection table is this many hash maps: the expiry timer walks one of them at a
	 * time, so that no walk holds a CPU for long. 68, because 2^20 entries spread over so many
	 * fit hash maps of 2^14 buckets, whatever chance does.
	 */
	SHARDS = 68,
};

/* Schedulers by number; the names are those of ipvsadm -s. Numbers are never reused. */
enum scheduler {
	SCHEDULER_RR = 1,
	SCHEDULER_WRR = 2,
	SCHEDULER_LC = 3,
	SCHEDULER_WLC = 4,
	SCHEDULER_SH = 5,
};

enum scheduler_flag {
	SCHEDULER_FLAG_1 = 1,
	SCHEDULER_FLAG_2 = 2,
	SCHEDULER_FLAG_3 = 4,
	SH_FALLBACK = SCHEDULER_FLAG_1,
	SH_PORT = SCHEDULER_FLAG_2,
};

/* The program that counted a verdict. */
enum hook {
	HOOK_DIRECTOR = 0, /* lwt_in: the route of marked packets */
	HOOK_INGRESS = 1, /* tc: packets from the LAN */
	HOOK_EGRESS = 2, /* tc: replies to the LAN */
	HOOKS = 3,
};

/* How a packet left a program; each exit has one. Numbers are never reused. */
enum verdict {
	VERDICT_KNOWN = 0, /* its connection is in the table */
	VERDICT_NEW = 1, /* scheduled, connection made */
	VERDICT_TEMPLATE = 2, /* new connection to the gateway that its client has */
	VERDICT_UNKNOWN = 3, /* tc: no connection; the rules decide */
	VERDICT_NO_SERVICE = 4, /* its fwmark belongs to no service */
	VERDICT_NO_GATEWAY = 5, /* the service has no eligible gateway */
	VERDICT_MIDSTREAM = 6, /* TCP without SYN of a connection that began elsewhere */
	VERDICT_TTL = 7, /* dies here: must not make a connection */
	VERDICT_FRAGMENT = 8, /* has no ports; the stack reassembles */
	VERDICT_MULTICAST = 9, /* to a group, to everybody, or not to this host's link address */
	VERDICT_ICMP_ERROR = 10, /* follows its connection by the conntrack mark */
	VERDICT_NOT_IP = 11, /* ARP and the like */
	VERDICT_TRUNCATED = 12, /* header cut short or malformed */
	VERDICT_LOOP = 13, /* came to the director with a decision already made */
	VERDICT_TABLE_FULL = 14, /* scheduled, but no room to remember it */
	VERDICT_GATEWAY_GONE = 15, /* its gateway was deleted */
	VERDICT_TAGGED = 16, /* VLAN-tagged: the VLAN's own link sees it too */
	VERDICT_RACE = 17, /* two first packets at once: follows the other's */
	VERDICTS = 18,
	VERDICT_COUNTERS = 54, /* HOOKS * VERDICTS */
};

/* Numbers 0 to 10 are IPVS's TCP states. */
enum conn_state {
	CONN_NONE = 0,
	CONN_ESTABLISHED = 1,
	CONN_SYN_SENT = 2,
	CONN_SYN_RECV = 3,
	CONN_FIN_WAIT = 4,
	CONN_TIME_WAIT = 5,
	CONN_CLOSE = 6,
	CONN_CLOSE_WAIT = 7,
	CONN_LAST_ACK = 8,
	CONN_LISTEN = 9,
	CONN_SYNACK = 10,
	CONN_ASKED = 11, /* no TCP: no reply seen yet */
	CONN_ANSWERED = 12, /* no TCP: a reply was seen */
	CONN_TEMPLATE = 13, /* persistence: NONE in ipvsadm */
	CONN_TEMPLATE_ASSURED = 14, /* one of its connections was answered */
	CONN_DEAD = 15, /* somebody is taking it away */
	CONN_STATES = 16,
};

/* Bits of conn.word: see conn.h. */
enum conn_word {
	WORD_STATE = 0x000000ff,
	WORD_ACTIVE = 0x00000100, /* counted as active */
	WORD_REPLIED = 0x00000200, /* a packet of the other direction was seen */
	WORD_CONTROLLED = 0x00000400, /* made through a template */
	WORD_NONCE = 0xffff0000,
};

/* An IPv4 address is held as ::ffff:a.b.c.d, so that one code path serves both. */
struct address {
	__be32 word[4];
};

/* Connection as the LAN sees it. Template: protocol 0, masked client, fwmark as server. */
struct conn_key {
	struct address client;
	struct address server;
	__be16 client_port; /* ICMP echo: the identifier */
	__be16 server_port;
	__u8 protocol;
	__u8 pad[3];
};

/* 32 bytes: with the key and the map's own 56, an entry fills a 128-byte slab object. */
struct conn {
	__u64 seen_ns; /* newest packet, coarse CLOCK_MONOTONIC; template: newest connection */
	__u32 word; /* enum conn_word: state, flags, nonce; changed by compare-and-swap only */
	__u32 slot; /* slots[] entry */
	__u32 fwmark; /* of its service */
	__u32 netmask; /* controlled: the service's netmask then, finds its template again */
	__u32 timeout_s; /* template: the service's persistence then */
	__u32 children; /* template: connections made through it that live */
};

struct service_key {
	__u32 fwmark;
	__u32 family; /* 4 or 6 */
};

/* What a packet needs of its service. Replaced whole, never changed in place. */
struct service {
	__u32 index; /* service_cursors[] entry */
	__u32 scheduler; /* enum scheduler */
	__u32 scheduler_flags;
	__u32 persistence_s; /* 0 = not persistent */
	__u32 netmask; /* IPv4: mask in wire order; IPv6: prefix length */
	__u32 gateway_count;
	__u32 slots[MAX_SERVICE_GATEWAYS]; /* newest first, as IPVS keeps its list */
};

/* One gateway of one service. User space writes, programs read. */
struct slot {
	__u32 fwmark; /* of the service; 0 = free */
	__u32 family;
	__u32 gateway; /* id */
	__u32 weight;
	__u32 upper; /* thresholds in connections, 0 = none */
	__u32 lower;
	__u32 configured; /* 0 once deleted; the slot stays while connections hold it */
	__u32 port; /* shown only */
};

/* Connections of a slot now. Programs write. A cache line each: schedulers and CPUs share them. */
struct slot_counts {
	__u32 active;
	__u32 inactive;
	__u32 persistent; /* templates */
	__u32 overloaded; /* hysteresis of the thresholds */
	__u32 pad[12];
};

/* Running totals of a slot, one copy a CPU. Bytes are of IP packets. */
struct slot_stats {
	__u64 connections;
	__u64 in_packets;
	__u64 out_packets;
	__u64 in_bytes;
	__u64 out_bytes;
};

/* IPVS's moving averages, in its fixed point: see rate.h. */
struct slot_rates {
	struct slot_stats last;
	struct slot_stats average;
};

/* Where a service's scheduler stands. Programs write; the first two as one 64-bit word. */
struct service_cursor {
	__u32 position; /* rr, wrr: 1 + place in service.slots of the last choice; 0 = before the first */
	__u32 current; /* wrr: weight that a gateway must have in this pass */
	__u32 highest; /* wrr */
	__u32 step; /* wrr: greatest common divisor of the weights */
};

enum gateway_flag {
	GATEWAY_PRESENT = 1, /* its table and rule exist */
};

/* A next hop on a link; the array index is its id. User space writes. */
struct gateway {
	struct address via;
	__u32 ifindex;
	__u32 flags; /* enum gateway_flag */
	char link[16];
};

struct settings {
	__u32 abi; /* enum abi */
	__u32 connection_limit;
	__u32 cpus; /* possible CPUs: how many copies slot_stats has */
	__u32 slots_used; /* slots[] beyond this were never used */
	__u32 timeout_s[CONN_STATES]; /* by state; ASKED, ANSWERED are UDP's */
	__u32 mark_mask; /* the mark's gateway bits: eight in a row */
	__u32 mark_shift;
	__u32 icmp_timeout_s;
	__u32 other_timeout_s; /* protocols without ports */
};

/* Totals of the whole table. Programs write. */
struct table_counts {
	__u32 entries; /* connections and templates */
	__u32 sweeps; /* shards walked by the timer: shows that expiry is alive */
};

/* Something of the namespace that we changed, to be put back: see src/kernel/memory.ts. */
struct remembered {
	char name[112];
	char value[16];
};

/*
 * What a service's list of gateways went through: rr and wrr must follow. A list is written once
 * for several insertions, which are then told one by one, as if each had been a command: place
 * says how many gateways at the head are still to be told.
 */
enum edit {
	EDIT_INSERTED = 1, /* a gateway at the head; place: see above */
	EDIT_REMOVED = 2, /* the gateway that stood at place */
	EDIT_CHANGED = 3, /* a weight, or the scheduler's flags; place 0 */
	EDIT_RESET = 4, /* a new service or another scheduler; place: see above */
};

enum request_kind {
	REQUEST_START = 1, /* the timers; again if they were lost */
	REQUEST_EDITED = 2, /* see enum edit */
};

/* What user space asks of lvsj_control. */
struct request {
	__u32 kind; /* enum request_kind; 0 = nothing */
	__u32 edit; /* enum edit */
	__u32 place;
	struct service_key key;
};

#endif
