/* What the schedulers use of BPF, for the host: a loop, byte order, and arrays in place of maps. */
#ifndef LVSJ_BPF_HOST_H
#define LVSJ_BPF_HOST_H

#include <arpa/inet.h>
#include <stddef.h>
#include "../../bpf/abi.h"

#define bpf_htonl htonl
#define bpf_ntohl ntohl
#define bpf_ntohs ntohs

typedef long (*loop_step)(__u32, void *);

/* Callbacks have their own context type, which the kernel's prototype hides in a void pointer. */
#define bpf_loop(count, step, context, flags) host_loop(count, (loop_step)(void *)(step), context)

static inline long host_loop(__u32 count, loop_step step, void *context)
{
	for (__u32 i = 0; i < count; i++) {
		if (step(i, context))
			return i + 1;
	}
	return count;
}

/* Only the kernel's verifier must not know it: see bpf/maps.h. */
static const __u32 opaque_zero;

static struct slot slots[MAX_SLOTS];
static struct slot_counts slot_counts[MAX_SLOTS];

/* As an array map: slot 0 is there, and what lies beyond the end is not. */
static inline struct slot *slot_get(__u32 slot)
{
	return slot < MAX_SLOTS ? &slots[slot] : NULL;
}

static inline struct slot_counts *slot_counts_get(__u32 slot)
{
	return slot < MAX_SLOTS ? &slot_counts[slot] : NULL;
}

#endif
