/* SPDX-License-Identifier: GPL-2.0 */
/* How many connections does a gateway of a service have, and is it full? */
#ifndef LVSJ_SLOT_H
#define LVSJ_SLOT_H

#include "maps.h"

/*
 * IPVS's hysteresis: at `upper` connections a gateway is full, and below `lower` it is not any
 * more. change: what the number of connections just did; 0 after an edit of the thresholds.
 */
static __always_inline void slot_thresholds(const struct slot *config, struct slot_counts *counts,
					    int change)
{
	__u32 total, lower;

	if (!config->upper && !counts->overloaded)
		return;
	total = counts->active + counts->inactive;
	lower = config->lower ?: config->upper - config->upper / 4;
	if (!config->upper || (change <= 0 && total < lower))
		counts->overloaded = 0;
	else if (change >= 0 && total >= config->upper)
		counts->overloaded = 1;
}

/* Connections of a slot come, go, and turn active or inactive. */
static __always_inline void slot_count(__u32 slot, int active, int inactive)
{
	struct slot_counts *counts = slot_counts_get(slot);
	struct slot *config = slot_get(slot);

	if (!counts || !config)
		return;
	if (active)
		__sync_fetch_and_add(&counts->active, active);
	if (inactive)
		__sync_fetch_and_add(&counts->inactive, inactive);
	if (active + inactive)
		slot_thresholds(config, counts, active + inactive);
}

static __always_inline void slot_count_templates(__u32 slot, int templates)
{
	struct slot_counts *counts = slot_counts_get(slot);

	if (counts)
		__sync_fetch_and_add(&counts->persistent, templates);
}

#endif
