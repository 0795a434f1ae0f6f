/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every struct and number that user space sees, and nothing else.
 * src/kernel/abi.gen.ts is generated from the BTF of these (make generate).
 */
#ifndef LVSJ_ABI_H
#define LVSJ_ABI_H

#include <linux/types.h>

/*
 * Bumped when a running director can't be driven by newer tools, or when old and new programs can't
 * run side by side on the same maps: of the same number, one takes the other's place while packets
 * flow (src/kernel/upgrade.ts). Whatever the number, these stay: the first word of `settings`, of
 * `table_counts` the entries, `memory` and `applied` whole. By them an older director is replaced.
 */
enum abi {
	ABI_VERSION = 6,
};

enum limits {
	/*
	 * Gateway ids are a byte of the mark: 0 = undecided, 254 = decided: told that it can't be,
	 * 255 = decided: no gateway.
	 */
	MAX_GATEWAYS = 253,
	GATEWAY_REFUSED = 254,
	GATEWAY_NONE = 255,
	/* Tiers of a service, each a list of gateways of its own. */
	MAX_TIERS = 8,
	/* Places of a gateway's histogram of answering times: place i holds 2^i to 2^(i+1) us. */
	EVIDENCE_DELAYS = 24,
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
	/* Places of mh's table: a prime, the one that Linux's default configuration has. */
	MH_PLACES = 4093,
	/* Servers whose gateway lblc and lblcr remember, all services together; IPVS's bound. */
	MAX_SERVER_CHOICES = 24576,
	/* Bits a second that a gateway is taken for whose capacity nobody told. */
	ASSUMED_CAPACITY = 100000000,
};

/* Schedulers by number; the names are those of ipvsadm -s. Numbers are never reused. */
enum scheduler {
	SCHEDULER_RR = 1,
	SCHEDULER_WRR = 2,
	SCHEDULER_LC = 3,
	SCHEDULER_WLC = 4,
	SCHEDULER_SH = 5,
	SCHEDULER_SED = 6,
	SCHEDULER_NQ = 7,
	SCHEDULER_FO = 8,
	SCHEDULER_OVF = 9,
	SCHEDULER_DH = 10,
	SCHEDULER_MH = 11,
	SCHEDULER_LBLC = 12,
	SCHEDULER_LBLCR = 13,
	SCHEDULER_LBW = 14,
	SCHEDULER_LRTT = 15,
};

enum scheduler_flag {
	SCHEDULER_FLAG_1 = 1,
	SCHEDULER_FLAG_2 = 2,
	SCHEDULER_FLAG_3 = 4,
	SH_FALLBACK = SCHEDULER_FLAG_1,
	SH_PORT = SCHEDULER_FLAG_2,
	MH_FALLBACK = SCHEDULER_FLAG_1,
	MH_PORT = SCHEDULER_FLAG_2,
};

/* Whose packets stay together in a persistent service: what a template's key is made of. */
enum persistence_key {
	PERSISTENCE_SOURCE = 0, /* the client, as in IPVS */
	PERSISTENCE_DESTINATION = 1, /* the server */
	PERSISTENCE_SOURCE_DESTINATION = 2, /* both */
};

/* The program that counted a verdict. */
enum hook {
	HOOK_DIRECTOR = 0, /* lwt_in: the route of marked packets */
	HOOK_INGRESS = 1, /* tc: packets from the LAN */
	HOOK_EGRESS = 2, /* tc: replies to the LAN */
	HOOK_UPLINK_IN = 3, /* tc: packets from an uplink */
	HOOK_UPLINK_OUT = 4, /* a gateway's route: packets from which the fast path may learn */
	HOOKS = 5,
};

/* How a packet left a program; each exit has one. Numbers are never reused. */
enum verdict {
	VERDICT_KNOWN = 0, /* its connection is in the table */
	VERDICT_NEW = 1, /* scheduled, connection made */
	VERDICT_TEMPLATE = 2, /* new connection to the gateway that its client has */
	VERDICT_UNKNOWN = 3, /* tc: no connection; the rules decide */
	VERDICT_NO_SERVICE = 4, /* its fwmark belongs to no service */
	VERDICT_NO_GATEWAY = 5, /* the service has no eligible gateway */
	VERDICT_MIDSTREAM = 6, /* began elsewhere: TCP without SYN, SCTP without INIT */
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
	VERDICT_ONE_PACKET = 18, /* scheduled for itself alone: ipvsadm -o */
	VERDICT_MOVED = 19, /* its gateway is down: goes on by another */
	VERDICT_RESET = 20, /* its gateway is down: the client is told to begin anew */
	VERDICT_UNREACHABLE = 21, /* no eligible gateway: the client is told (last-resort) */
	VERDICT_DROPPED = 22, /* no eligible gateway: the packet ends here (last-resort) */
	VERDICT_FAST = 23, /* sent on at once, by the stack */
	VERDICT_LEARNT = 24, /* the next one of its connection may be */
	VERDICTS = 25,
	VERDICT_COUNTERS = 125, /* HOOKS * VERDICTS */
};

/* Numbers 0 to 10 are IPVS's TCP states; from CONN_SCTP on its SCTP states follow in its order. */
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
	CONN_SCTP = 16,
	CONN_SCTP_INIT1 = 17,
	CONN_SCTP_INIT = 18,
	CONN_SCTP_COOKIE_SENT = 19,
	CONN_SCTP_COOKIE_REPLIED = 20,
	CONN_SCTP_COOKIE_WAIT = 21,
	CONN_SCTP_COOKIE = 22,
	CONN_SCTP_COOKIE_ECHOED = 23,
	CONN_SCTP_ESTABLISHED = 24,
	CONN_SCTP_SHUTDOWN_SENT = 25,
	CONN_SCTP_SHUTDOWN_RECEIVED = 26,
	CONN_SCTP_SHUTDOWN_ACK_SENT = 27,
	CONN_SCTP_REJECTED = 28,
	CONN_SCTP_CLOSED = 29,
	CONN_STATES = 32,
};

/* Bits of conn.word: see conn.h. */
enum conn_word {
	WORD_STATE = 0x000000ff,
	WORD_ACTIVE = 0x00000100, /* counted as active */
	WORD_REPLIED = 0x00000200, /* a packet of the other direction was seen */
	WORD_CONTROLLED = 0x00000400, /* made through a template */
	WORD_PERSISTENCE = 0x00001800, /* controlled: the template's enum persistence_key */
	WORD_PERSISTENCE_SHIFT = 11,
	WORD_REASON = 0x0000e000, /* enum conn_reason */
	WORD_REASON_SHIFT = 13,
	WORD_NONCE = 0xffff0000,
};

/* How a connection got its gateway; 0 for a template. Numbers are never reused. */
enum conn_reason {
	REASON_SCHEDULER = 1,
	REASON_TEMPLATE = 2, /* the gateway that its client has */
	REASON_RACE = 3, /* as another first packet of its client at the same moment chose */
	REASON_MIDSTREAM = 4, /* scheduled, but began elsewhere: sloppy_tcp, sloppy_sctp */
	REASON_MOVED = 5, /* scheduled anew, for its gateway was down */
	CONN_REASONS = 8,
};

/* An IPv4 address is held as ::ffff:a.b.c.d, so that one code path serves both. Aligned: copied in two pieces. */
struct address {
	__be32 word[4];
} __attribute__((aligned(8)));

/*
 * Connection as the LAN sees it. Template of a client: protocol 0, masked client, fwmark as
 * server. The others hold the masked server, and the fwmark in the two ports.
 */
struct conn_key {
	struct address client;
	struct address server;
	__be16 client_port; /* ICMP echo: the identifier */
	__be16 server_port;
	__u8 protocol;
	__u8 persistence; /* template: enum persistence_key */
	__u8 pad[2];
};

/* 32 bytes: with the key and the map's own 56, an entry fills a 128-byte slab object. */
struct conn {
	__u64 seen_ns; /* newest packet, coarse CLOCK_MONOTONIC; template: newest connection */
	__u32 word; /* enum conn_word: state, flags, reason, nonce; changed by compare-and-swap only */
	__u32 slot; /* slots[] entry */
	__u32 opened_us; /* TCP without an answer yet: when its only SYN came; 0 = no such time */
	__u32 netmask; /* controlled: the service's netmask then, finds its template again */
	union {
		__u32 timeout_s; /* template: the service's persistence then */
		__u32 generation; /* connection: settings.generation then */
	};
	union {
		__u32 children; /* template: connections made through it that live */
		__u32 began_s; /* connection: CLOCK_MONOTONIC then */
	};
};

/* tier: the gateways of each tier are a list of their own; 0 is the first that is asked. */
struct service_key {
	__u32 fwmark;
	__u16 family; /* 4 or 6 */
	__u16 tier;
};

/* What becomes of a connection whose gateway is down, or told to leave. */
enum on_down {
	ON_DOWN_KEEP = 0, /* it waits there */
	ON_DOWN_RESET = 1, /* TCP with an address of the gateway's ends, all else as RESCHEDULE */
	ON_DOWN_RESCHEDULE = 2, /* goes on by another, with another address if need be */
};

/* What becomes of a new connection if no gateway is eligible. */
enum last_resort {
	LAST_RESORT_MAIN = 0, /* on by the main table */
	LAST_RESORT_UNREACHABLE = 1, /* the client is told */
	LAST_RESORT_DROP = 2,
};

/* What a client's template on a lower tier becomes once a higher one can take connections again. */
enum failback {
	FAILBACK_STAY = 0,
	FAILBACK_NEW =
		1, /* its next connection goes to the higher tier, and the template with it */
};

/* Whether connections of a service may take the fast path. */
enum fastpath {
	FASTPATH_OFF = 0,
	FASTPATH_CAREFUL = 1, /* while fast_guard.careful is 0 */
	FASTPATH_ON = 2,
};

/* What a packet needs of its service. Replaced whole, never changed in place. */
struct service {
	struct service_key key;
	__u32 index; /* service_cursors[] entry */
	__u32 scheduler; /* enum scheduler */
	__u32 scheduler_flags;
	__u32 persistence_s; /* 0 = not persistent */
	__u32 persistence_key; /* enum persistence_key */
	__u32 netmask; /* IPv4: mask in wire order; IPv6: prefix length */
	__u32 one_packet; /* UDP: no connections, each packet is scheduled */
	__u32 tiers; /* how many it has: the same in each of them */
	__u32 failback; /* enum failback */
	__u32 last_resort; /* enum last_resort */
	__u32 gateway_count;
	__u32 slots[MAX_SERVICE_GATEWAYS]; /* newest first, as IPVS keeps its list */
};

/* One gateway of one service. User space writes, programs read. */
struct slot {
	__u32 fwmark; /* of the service; 0 = free */
	__u32 family;
	__u32 gateway; /* id */
	__u32 weight;
	__u32 last_weight; /* the newest weight that was not 0: mh's share survives a drain */
	__u32 upper; /* thresholds in connections, 0 = none */
	__u32 lower;
	__u32 configured; /* 0 once deleted; the slot stays while connections hold it */
	__u32 port; /* shown only */
	__u32 tier; /* of its service */
	__u32 on_down; /* enum on_down */
	__u32 leave_s; /* connections that began until then must leave; CLOCK_MONOTONIC, 0 = none */
	__u32 fastpath; /* enum fastpath */
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

/* The gateway that a place of mh's table belongs to: a slot, 0 = none. Replaced whole. */
struct mh_table {
	__u16 slots[MH_PLACES];
};

/* Whom lblc and lblcr asked before, by service and server. Programs write. */
struct server_key {
	struct address server;
	struct service_key service;
};

struct server_choice {
	__u64 seen_ns; /* newest connection */
	__u64 changed_ns; /* lblcr: when the set changed last */
	__u32 count; /* of slots: 1 for lblc */
	__u16 slots[MAX_SERVICE_GATEWAYS]; /* the newest last */
	__u32 pad;
};

enum gateway_flag {
	GATEWAY_PRESENT = 1, /* its table and rule exist */
	GATEWAY_SCOPED = 2, /* its address is written with its link: eth1 alone tells which one */
	GATEWAY_DOWN = 4, /* takes no new connection; those that it has: see enum on_down */
	GATEWAY_KEEPS_SOURCE =
		8, /* no SNAT: a connection can go on by another that has this, too */
};

/* A next hop on a link; the array index is its id. User space writes. */
struct gateway {
	struct address via;
	__u32 ifindex;
	__u32 flags; /* enum gateway_flag */
	__u64 capacity_down; /* bits a second from the internet; 0 = not told */
	__u64 capacity_up;
	char link[16];
};

/* Bytes of IP packets through a gateway, all services together; one copy a CPU. */
struct gateway_bytes {
	__u64 down;
	__u64 up;
};

/* How busy and how far a gateway is, for lbw and lrtt; by its id. Programs write. */
struct gateway_load {
	struct gateway_bytes last; /* totals when the averages moved last */
	__u64 down; /* average, bytes a second */
	__u64 up;
	/* The same as a part of the capacity, 1 = 2^24; so much each fresh connection adds. */
	__u32 down_part;
	__u32 up_part;
	__u32 fresh_part;
	__u32 fresh; /* connections that the averages don't show yet, in 1/256 */
	__u32 rtt_us; /* average time from SYN to SYN-ACK; 0 = not known */
	__u32 asked; /* SYNs since the newest SYN-ACK */
	__u32 silent; /* moves of the averages since then */
	__u32 pad;
};

/* What packets tell of a gateway's health, as running totals; one copy a CPU. */
struct gateway_evidence {
	__u64 syns; /* first SYNs of connections */
	__u64 syn_repeats; /* SYNs of connections that had one already and no answer */
	__u64 syn_answers; /* connections whose SYN was answered */
	__u64 asks; /* first packets of connections that are no TCP */
	__u64 ask_answers; /* such connections that were answered */
	__u64 unreachables; /* ICMP errors about its connections that say: there is no way */
	__u64 delays_us; /* of those below, together */
	__u64 delays[EVIDENCE_DELAYS]; /* SYN to SYN-ACK, by powers of two of microseconds */
};

/* What the fast path makes of a packet. */
struct fast_change {
	struct address to; /* up: the source that it gets; down: the destination */
	__be16 port; /* goes with `to` */
	__u16 mtu;
	__u32 sum; /* what that address adds to checksums: 16 bits */
	__u32 ifindex;
	__u32 mark; /* its, when the stack is done with it */
	__u32 priority;
	/* The next hop, as struct bpf_redir_neigh has it. */
	__u32 via_family;
	__u32 via[4];
};

/*
 * One direction of a connection on the fast path: what is changed of a packet and where it goes. Two cache
 * lines, of which the first says whether it is the one. Programs write.
 */
struct fast {
	struct conn_key key; /* as its packets have it; protocol 0: nobody's */
	__u32 turn; /* odd: it is being written; another one: it may be another connection's by now */
	__u32 epoch; /* fast_guard.epoch then */
	__u64 checked_ns; /* when conntrack and the table were asked last */
	__u32 ifindex_in;
	__u32 slot;
	struct fast_change change;
	__u32 rest; /* jiffies: with less of conntrack's time left a packet takes the normal path */
	__u16 proved_s; /* when the stack let a packet through last; CLOCK_MONOTONIC, the lower half */
	__u8 dscp;
	__u8 gateway; /* the slot's */
};

/* By whom the fast path is watched over. */
struct fast_guard {
	__u64 until_ns; /* CLOCK_MONOTONIC: then somebody must have renewed it; 0 = switched off */
	__u64 check_ns; /* so often conntrack and the table are asked for a connection */
	__u32 epoch; /* another one: all connections are learnt anew */
	__u32 careful; /* rules of others need to see each packet: see src/firewall */
	__u64 seed; /* settings.seed, at hand: nobody outside knows which connections share a place */
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
	__u32 generation; /* of the configuration that is applied; 0 = none ever was */
	/* IPVS's sysctls of the same names: see docs/settings.md. */
	__u32 conn_reuse_mode;
	__u32 expire_nodest_conn;
	__u32 expire_quiescent_template;
	__u32 sloppy_tcp;
	__u32 sloppy_sctp;
	__u64 seed; /* random */
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
 * The configuration that is applied, as compressed text in parts: see src/kernel/applied.ts. Part 0 of
 * version 0 says which version counts: a new one is whole before that changes.
 */
struct applied_key {
	__u32 version;
	__u32 part;
};

enum applied_limits {
	APPLIED_BYTES = 3968, /* with the key and the map's own bytes it fits a page */
};

struct applied_part {
	__u32 version; /* part 0 of version 0: the one that counts */
	__u32 length; /* of the whole text */
	__u8 bytes[APPLIED_BYTES];
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
	REQUEST_EXPLAIN = 3, /* see struct explanation */
	REQUEST_TAKE_OVER = 4, /* the timers, from the programs of another object */
};

/* What is there already of a connection that is asked for. */
enum explained {
	EXPLAINED_CONN = 1,
	EXPLAINED_TEMPLATE = 2,
};

/* What the director would do with a connection's first packet, and why. */
struct explanation {
	__u32 verdict; /* enum verdict */
	__u32 reason; /* enum conn_reason: how the slot was, or would be chosen; 0 = no slot */
	__u32 slot; /* 0 = none */
	__u32 found; /* enum explained: which of these hold something */
	struct conn conn;
	struct conn template;
	struct conn_key template_key; /* of a persistent service, whether there is one or not */
};

/* What user space asks of lvsj_control. */
struct request {
	__u32 kind; /* enum request_kind; 0 = nothing */
	__u32 edit; /* enum edit */
	__u32 place;
	struct service_key key;
	struct conn_key conn; /* EXPLAIN */
	struct explanation explanation; /* the answer to that */
};

#endif
