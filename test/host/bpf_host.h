/* What the schedulers use of BPF, for the host: a loop, byte order, and arrays in place of maps. */
#ifndef LVSJ_BPF_HOST_H
#define LVSJ_BPF_HOST_H

/* Whoever includes bpf/maps.h finds it here. */
#define LVSJ_MAPS_H

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include "../../bpf/abi.h"

#define __noinline __attribute__((noinline))
#define bpf_htonl htonl
#define bpf_ntohl ntohl
#define bpf_ntohs ntohs

#define barrier_var(var) asm volatile("" : "+r"(var))

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
static struct gateway gateways[MAX_GATEWAYS + 2];
static struct gateway_load gateway_loads[MAX_GATEWAYS + 2];
/* Of the one service. */
static struct mh_table mh_table;
/* Enough for the tests. */
static struct server_key server_keys[1024];
static struct server_choice server_choices[1024];
static __u32 server_count;
static __u64 clock_ns;

/* As an array map: slot 0 is there, and what lies beyond the end is not. */
static inline struct slot *slot_get(__u32 slot)
{
	return slot < MAX_SLOTS ? &slots[slot] : NULL;
}

static inline struct slot_counts *slot_counts_get(__u32 slot)
{
	return slot < MAX_SLOTS ? &slot_counts[slot] : NULL;
}

static inline const struct gateway *gateway_get(__u32 gateway)
{
	return gateway < MAX_GATEWAYS + 2 ? &gateways[gateway] : NULL;
}

static inline struct gateway_load *gateway_load_get(__u32 gateway)
{
	return gateway < MAX_GATEWAYS + 2 ? &gateway_loads[gateway] : NULL;
}

static inline const struct mh_table *mh_table_get(const struct service *service)
{
	return &mh_table;
}

static inline struct server_choice *server_choice_get(const struct server_key *key)
{
	for (__u32 i = 0; i < server_count; i++)
		if (!memcmp(&server_keys[i], key, sizeof(*key)))
			return &server_choices[i];
	return NULL;
}

static inline struct server_choice *server_choice_make(const struct server_key *key)
{
	struct server_choice *known = server_choice_get(key);

	if (known || server_count == sizeof(server_keys) / sizeof(*server_keys))
		return known;
	server_keys[server_count] = *key;
	memset(&server_choices[server_count], 0, sizeof(*server_choices));
	return &server_choices[server_count++];
}

static inline void server_choices_forget(const struct service *service)
{
	__u32 kept = 0;

	for (__u32 i = 0; i < server_count; i++) {
		if (!memcmp(&server_keys[i].service, &service->key, sizeof(service->key)))
			continue;
		server_keys[kept] = server_keys[i];
		server_choices[kept++] = server_choices[i];
	}
	server_count = kept;
}

static inline __u64 sched_now(void)
{
	return clock_ns;
}

static inline __u64 bpf_ktime_get_ns(void)
{
	return clock_ns;
}

#endif
