/* SPDX-License-Identifier: GPL-2.0 */
/* IPVS's TCP tables; included by state.h. */
#ifndef LVSJ_STATE_TCP_H
#define LVSJ_STATE_TCP_H

#define TCP_STATES 11

/* Order in which a segment's bits count; none of them set closes. */
enum tcp_event {
	TCP_EVENT_SYN = 0,
	TCP_EVENT_FIN = 1,
	TCP_EVENT_ACK = 2,
	TCP_EVENT_RST = 3,
	TCP_EVENTS = 4,
};

/* clang-format off */
#define NO CONN_NONE
#define ES CONN_ESTABLISHED
#define SS CONN_SYN_SENT
#define SR CONN_SYN_RECV
#define FW CONN_FIN_WAIT
#define TW CONN_TIME_WAIT
#define CL CONN_CLOSE
#define CW CONN_CLOSE_WAIT
#define LA CONN_LAST_ACK
#define LI CONN_LISTEN
#define SA CONN_SYNACK

static const __u8 tcp_next[VIEWS][TCP_EVENTS][TCP_STATES] = {
	[VIEW_IN] = {
		/*        from: NO  ES  SS  SR  FW  TW  CL  CW  LA  LI  SA */
		[TCP_EVENT_SYN] = { SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR },
		[TCP_EVENT_FIN] = { CL, CW, SS, TW, TW, TW, CL, CW, LA, LI, TW },
		[TCP_EVENT_ACK] = { ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES },
		[TCP_EVENT_RST] = { CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, SR },
	},
	[VIEW_OUT] = {
		[TCP_EVENT_SYN] = { SS, ES, SS, SR, SS, SS, SS, SS, SS, LI, SR },
		[TCP_EVENT_FIN] = { TW, FW, SS, TW, FW, TW, CL, TW, LA, LI, TW },
		[TCP_EVENT_ACK] = { ES, ES, SS, ES, FW, TW, CL, CW, LA, ES, ES },
		[TCP_EVENT_RST] = { CL, CL, SS, CL, CL, TW, CL, CL, CL, CL, CL },
	},
	[VIEW_IN_ONLY] = {
		[TCP_EVENT_SYN] = { SR, ES, ES, SR, SR, SR, SR, SR, SR, SR, SR },
		[TCP_EVENT_FIN] = { CL, FW, SS, TW, FW, TW, CL, CW, LA, LI, TW },
		[TCP_EVENT_ACK] = { ES, ES, SS, ES, FW, TW, CL, CW, CL, LI, ES },
		[TCP_EVENT_RST] = { CL, CL, CL, SR, CL, CL, CL, CL, LA, LI, CL },
	},
};
/* clang-format on */

#undef NO
#undef ES
#undef SS
#undef SR
#undef FW
#undef TW
#undef CL
#undef CW
#undef LA
#undef LI
#undef SA

/* flags: the TCP header's; view: enum state_view. */
static __always_inline __u32 tcp_state_next(__u32 state, __u8 flags, __u32 view)
{
	__u32 event;

	if (flags & 0x04)
		event = TCP_EVENT_RST;
	else if (flags & 0x02)
		event = TCP_EVENT_SYN;
	else if (flags & 0x01)
		event = TCP_EVENT_FIN;
	else if (flags & 0x10)
		event = TCP_EVENT_ACK;
	else
		return CONN_CLOSE;
	if (state >= TCP_STATES || view >= VIEWS)
		return CONN_CLOSE;
	return tcp_next[view][event][state];
}

#endif
