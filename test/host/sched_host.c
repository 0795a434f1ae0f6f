/*
 * The schedulers and state machines of bpf/ as a host program, compiled with sanitizers: one
 * command a line on stdin, one number a line on stdout. test/host/sched-host.ts drives it.
 *
 * One service; its list and cursor are edited exactly as user space and lvsj_edited do it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bpf_host.h"
#include "../../bpf/sched.h"
#include "../../bpf/state.h"
#include "load_host.h"

static struct service service;
static struct service_cursor cursor;

static void fail(const char *line)
{
	fprintf(stderr, "sched_host: bad command: %s", line);
	exit(2);
}

/* service SCHEDULER FLAGS: a new one, without gateways. What lblc remembers it must forget itself. */
static int run_service(const char *line)
{
	memset(&service, 0, sizeof(service));
	memset(slots, 0, sizeof(slots));
	memset(slot_counts, 0, sizeof(slot_counts));
	memset(gateways, 0, sizeof(gateways));
	memset(gateway_loads, 0, sizeof(gateway_loads));
	memset(&mh_table, 0, sizeof(mh_table));
	service.key.fwmark = 1;
	service.key.family = 4;
	if (sscanf(line, "%u %u", &service.scheduler, &service.scheduler_flags) != 2)
		return -1;
	sched_edited(&service, &cursor, EDIT_RESET, 0);
	return 0;
}

/* scheduler SCHEDULER FLAGS: of the service that there is. */
static int run_scheduler(const char *line)
{
	__u32 old = service.scheduler;

	if (sscanf(line, "%u %u", &service.scheduler, &service.scheduler_flags) != 2)
		return -1;
	if (service.scheduler != old)
		sched_edited(&service, &cursor, EDIT_RESET, 0);
	return 0;
}

/* insert SLOT WEIGHT: at the head. */
static int run_insert(const char *line)
{
	__u32 slot, weight;

	if (sscanf(line, "%u %u", &slot, &weight) != 2 || !slot || slot >= MAX_SLOTS ||
	    service.gateway_count == MAX_SERVICE_GATEWAYS)
		return -1;
	memmove(service.slots + 1, service.slots, service.gateway_count * sizeof(slot));
	service.slots[0] = slot;
	service.gateway_count++;
	slots[slot] = (struct slot){ .fwmark = service.key.fwmark,
				     .family = service.key.family,
				     .gateway = gateway_of_slot(slot),
				     .weight = weight,
				     .configured = 1 };
	sched_edited(&service, &cursor, EDIT_INSERTED, 0);
	return 0;
}

/* The place of a slot in the list; past its end if it is not there. */
static __u32 place_of(__u32 slot)
{
	__u32 place = 0;

	while (place < service.gateway_count && service.slots[place] != slot)
		place++;
	return place;
}

/* remove SLOT */
static int run_remove(const char *line)
{
	__u32 slot, place;

	if (sscanf(line, "%u", &slot) != 1)
		return -1;
	place = place_of(slot);
	if (place == service.gateway_count)
		return -1;
	service.gateway_count--;
	memmove(service.slots + place, service.slots + place + 1,
		(service.gateway_count - place) * sizeof(slot));
	service.slots[service.gateway_count] = 0;
	slots[slot].configured = 0;
	sched_edited(&service, &cursor, EDIT_REMOVED, place);
	return 0;
}

/* weight SLOT WEIGHT */
static int run_weight(const char *line)
{
	__u32 slot, weight;

	if (sscanf(line, "%u %u", &slot, &weight) != 2 || place_of(slot) == service.gateway_count)
		return -1;
	slots[slot].weight = weight;
	sched_edited(&service, &cursor, EDIT_CHANGED, 0);
	return 0;
}

/* counts SLOT ACTIVE INACTIVE OVERLOADED */
static int run_counts(const char *line)
{
	struct slot_counts counts = {};
	__u32 slot;

	if (sscanf(line, "%u %u %u %u", &slot, &counts.active, &counts.inactive,
		   &counts.overloaded) != 4 ||
	    slot >= MAX_SLOTS)
		return -1;
	slot_counts[slot] = counts;
	return 0;
}

/* down SLOT DOWN: its gateway. */
static int run_down(const char *line)
{
	__u32 slot, down;

	if (sscanf(line, "%u %u", &slot, &down) != 2 || !slot || slot >= MAX_SLOTS)
		return -1;
	gateways[gateway_of_slot(slot)].flags = down ? GATEWAY_DOWN : 0;
	return 0;
}

static int parse_address(const char *text, struct address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &address->word[3]) == 1) {
		address->word[2] = htonl(0xffff);
		return 1;
	}
	return inet_pton(AF_INET6, text, address) == 1;
}

/* pick CLIENT PORT SERVER: the slot that a new connection gets; 0 = none. */
static int run_pick(const char *line)
{
	struct service_cursor next = cursor;
	struct conn_key key = {};
	char client[64], server[64];
	__u16 port;
	int slot;

	if (sscanf(line, "%63s %hu %63s", client, &port, server) != 3 ||
	    !parse_address(client, &key.client) || !parse_address(server, &key.server))
		return -1;
	key.client_port = htons(port);
	slot = sched_pick(&service, &next, &key, 0);
	/* As cursor_publish() of choose.h: a pick moves no more than these two. */
	cursor.position = next.position;
	cursor.current = next.current;
	return slot;
}

/* table SLOT…: that of mh. */
static int run_table(const char *line)
{
	char *end;

	for (__u32 place = 0; place < MH_PLACES; place++) {
		mh_table.slots[place] = strtoul(line, &end, 10);
		if (end == line)
			return -1;
		line = end;
	}
	return 0;
}

/* pass SECONDS: the clock goes on. */
static int run_pass(const char *line)
{
	__u64 seconds;

	if (sscanf(line, "%llu", &seconds) != 1)
		return -1;
	clock_ns += seconds * 1000000000;
	return 0;
}

/* state STATE FLAGS VIEW: the next state of a TCP connection. */
static int run_state(const char *line)
{
	__u32 state, flags, view;

	if (sscanf(line, "%u %u %u", &state, &flags, &view) != 3)
		return -1;
	return tcp_state_next(state, flags, view);
}

/* sctp STATE CHUNK VIEW: the next state of an SCTP connection; CHUNK: a type. */
static int run_sctp(const char *line)
{
	__u32 state, chunk, view;

	if (sscanf(line, "%u %u %u", &state, &chunk, &view) != 3)
		return -1;
	return sctp_state_next(state, sctp_event_of(chunk), view);
}

/* active STATE: does it count as active? */
static int run_active(const char *line)
{
	__u32 state;

	return sscanf(line, "%u", &state) == 1 ? state_is_active(state) : -1;
}

/* template STATE: is it a template's? */
static int run_template(const char *line)
{
	__u32 state;

	return sscanf(line, "%u", &state) == 1 ? state_is_template(state) : -1;
}

static const struct command {
	const char *name;
	int (*run)(const char *line);
} commands[] = {
	{ "service", run_service },   { "scheduler", run_scheduler },
	{ "insert", run_insert },     { "remove", run_remove },
	{ "weight", run_weight },     { "counts", run_counts },
	{ "pick", run_pick },	      { "table", run_table },
	{ "pass", run_pass },	      { "carry", run_carry },
	{ "rtt", run_rtt },	      { "opened", run_opened },
	{ "answered", run_answered }, { "move", run_move },
	{ "shown", run_shown },	      { "state", run_state },
	{ "active", run_active },     { "template", run_template },
	{ "sctp", run_sctp },	      { "down", run_down },
};

static int run(const char *line)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		size_t length = strlen(commands[i].name);

		if (!strncmp(line, commands[i].name, length) && line[length] == ' ')
			return commands[i].run(line + length);
	}
	return -1;
}

int main(void)
{
	/* A table of mh has some 4,000 numbers. */
	static char line[32768];

	while (fgets(line, sizeof(line), stdin)) {
		int answer = run(line);

		if (answer < 0)
			fail(line);
		printf("%d\n", answer);
		fflush(stdout);
	}
	return 0;
}
