/* SPDX-License-Identifier: GPL-2.0 */
/* The mark's gateway bits: what a packet carries from one program to the next, and to the policy rules. */
#ifndef LVSJ_MARK_H
#define LVSJ_MARK_H

#include "maps.h"

static __always_inline void mark_set(struct __sk_buff *skb, __u32 gateway)
{
	struct settings *settings = settings_get();

	if (settings)
		skb->mark = (skb->mark & ~settings->mark_mask) | gateway << settings->mark_shift;
}

static __always_inline int mark_is_decided(const struct __sk_buff *skb)
{
	struct settings *settings = settings_get();

	return !settings || skb->mark & settings->mark_mask;
}

static __always_inline int mark_is_refused(const struct __sk_buff *skb)
{
	struct settings *settings = settings_get();

	return settings && (skb->mark & settings->mark_mask) == (__u32)GATEWAY_REFUSED
									<< settings->mark_shift;
}

#endif
