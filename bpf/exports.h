/* SPDX-License-Identifier: GPL-2.0 */
/* What scripts/gen-abi.ts finds in the BTF: clang leaves out of it what only code uses. */
#ifndef LVSJ_EXPORTS_H
#define LVSJ_EXPORTS_H

#include "abi.h"

struct abi_exports {
	enum abi abi;
	enum limits limits;
	enum scheduler scheduler;
	enum scheduler_flag scheduler_flag;
	enum persistence_key persistence_key;
	enum hook hook;
	enum verdict verdict;
	enum conn_state conn_state;
	enum conn_word conn_word;
	enum conn_reason conn_reason;
	enum gateway_flag gateway_flag;
	enum on_down on_down;
	enum fastpath fastpath;
	enum edit edit;
	enum request_kind request_kind;
	enum explained explained;
	enum applied_limits applied_limits;
	struct conn_key conn_key;
	struct conn conn;
	struct service_key service_key;
	struct service service;
	struct slot slot;
	struct slot_counts slot_counts;
	struct slot_stats slot_stats;
	struct slot_rates slot_rates;
	struct service_cursor service_cursor;
	struct mh_table mh_table;
	struct server_key server_key;
	struct server_choice server_choice;
	struct gateway gateway;
	struct gateway_bytes gateway_bytes;
	struct gateway_load gateway_load;
	struct gateway_evidence gateway_evidence;
	struct fast fast;
	struct fast_guard fast_guard;
	struct settings settings;
	struct table_counts table_counts;
	struct remembered remembered;
	struct applied_key applied_key;
	struct applied_part applied_part;
	struct request request;
};

struct abi_exports *abi_exports __attribute__((unused));

#endif
