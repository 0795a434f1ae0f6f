/* SPDX-License-Identifier: GPL-2.0 */
/* State machines: IPVS's for TCP and SCTP, and asked/answered for the rest. Host-compilable. */
#ifndef LVSJ_STATE_H
#define LVSJ_STATE_H

#include "abi.h"

/* IPVS keeps a third view for connections of which it never saw a reply. */
enum state_view {
	VIEW_IN = 0,
	VIEW_OUT = 1,
	VIEW_IN_ONLY = 2,
	VIEWS = 3,
};

#include "state_tcp.h"
#include "state_sctp.h"

/*
 * Active connections are those that load a gateway. Unlike IPVS one without TCP or SCTP is
 * active once it was answered: QUIC, WireGuard and calls are most of what an uplink carries.
 */
static __always_inline int state_is_active(__u32 state)
{
	return state == CONN_ESTABLISHED || state == CONN_SYN_SENT || state == CONN_SYN_RECV ||
	       state == CONN_SYNACK || state == CONN_ANSWERED || state == CONN_SCTP_ESTABLISHED;
}

/* Does a connection that comes to this state prove that its gateway serves its client? */
static __always_inline int state_assures(__u32 state)
{
	return state == CONN_ESTABLISHED || state == CONN_ANSWERED ||
	       state == CONN_SCTP_ESTABLISHED;
}

static __always_inline int state_is_template(__u32 state)
{
	return state == CONN_TEMPLATE || state == CONN_TEMPLATE_ASSURED;
}

#endif
