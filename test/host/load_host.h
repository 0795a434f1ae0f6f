/* The commands of sched_host.c about how busy and how far gateways are, for lbw and lrtt. */
#ifndef LVSJ_LOAD_HOST_H
#define LVSJ_LOAD_HOST_H

#include "../../bpf/load.h"

/* Each slot has a gateway of its own, as long as there are enough ids. */
static __u32 gateway_of_slot(__u32 slot)
{
	return 1 + (slot - 1) % MAX_GATEWAYS;
}

/* carry SLOT DOWN UP CAPACITY_DOWN CAPACITY_UP: bytes a second on average, bits a second. */
static int run_carry(const char *line)
{
	struct gateway gateway = {};
	struct gateway_load *load;
	__u64 down, up;
	__u32 slot;

	if (sscanf(line, "%u %llu %llu %llu %llu", &slot, &down, &up, &gateway.capacity_down,
		   &gateway.capacity_up) != 5)
		return -1;
	load = &gateway_loads[gateway_of_slot(slot)];
	load->down_part = lbw_part(down, gateway.capacity_down);
	load->up_part = lbw_part(up, gateway.capacity_up);
	load->fresh_part = lbw_part(LBW_FRESH, gateway.capacity_down);
	return 0;
}

/* rtt SLOT MICROSECONDS: on average. */
static int run_rtt(const char *line)
{
	__u32 slot, rtt_us;

	if (sscanf(line, "%u %u", &slot, &rtt_us) != 2)
		return -1;
	gateway_loads[gateway_of_slot(slot)].rtt_us = rtt_us;
	return 0;
}

/* opened SLOT ASKS: a connection was made, by a SYN or not. */
static int run_opened(const char *line)
{
	__u32 slot, asks;

	if (sscanf(line, "%u %u", &slot, &asks) != 2 || slot >= MAX_SLOTS)
		return -1;
	load_open(slot, asks);
	return 0;
}

/* answered SLOT MICROSECONDS: so long after its SYN. */
static int run_answered(const char *line)
{
	struct conn conn = {};
	__u32 after_us;

	if (sscanf(line, "%u %u", &conn.slot, &after_us) != 2 || conn.slot >= MAX_SLOTS)
		return -1;
	conn.opened_us = clock_us() - after_us;
	load_answer(&conn);
	return 0;
}

/* move SLOT DOWN UP CAPACITY_DOWN CAPACITY_UP: a step of the load timer; bytes until now. */
static int run_move(const char *line)
{
	struct gateway gateway = {};
	struct gateway_bytes bytes;
	struct gateway_load *load;
	__u32 slot;

	if (sscanf(line, "%u %llu %llu %llu %llu", &slot, &bytes.down, &bytes.up,
		   &gateway.capacity_down, &gateway.capacity_up) != 5)
		return -1;
	load = &gateway_loads[gateway_of_slot(slot)];
	lbw_move(&gateway, load, &bytes);
	lrtt_move(load);
	return 0;
}

/* shown SLOT NUMBER: of what is known of its gateway. */
static int run_shown(const char *line)
{
	const struct gateway_load *load;
	__u32 slot, number;

	if (sscanf(line, "%u %u", &slot, &number) != 2)
		return -1;
	load = &gateway_loads[gateway_of_slot(slot)];
	return (const int[]){
		load->down,    load->up,	 load->fresh,  load->down_part,
		load->up_part, load->fresh_part, load->rtt_us, load->asked
	}[number & 7];
}

#endif
