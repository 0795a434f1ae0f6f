/* SPDX-License-Identifier: GPL-2.0 */
/* IPVS's SCTP tables; included by state.h. */
#ifndef LVSJ_STATE_SCTP_H
#define LVSJ_STATE_SCTP_H

#define SCTP_STATES 14

enum sctp_chunk_type {
	SCTP_CHUNK_INIT = 1,
	SCTP_CHUNK_INIT_ACK = 2,
	SCTP_CHUNK_ABORT = 6,
	SCTP_CHUNK_SHUTDOWN = 7,
	SCTP_CHUNK_SHUTDOWN_ACK = 8,
	SCTP_CHUNK_ERROR = 9,
	SCTP_CHUNK_COOKIE_ECHO = 10,
	SCTP_CHUNK_COOKIE_ACK = 11,
	SCTP_CHUNK_SHUTDOWN_COMPLETE = 14,
};

/* A packet counts by its first chunk. */
enum sctp_event {
	SCTP_EVENT_DATA = 0, /* and everything that is not below */
	SCTP_EVENT_INIT = 1,
	SCTP_EVENT_INIT_ACK = 2,
	SCTP_EVENT_COOKIE_ECHO = 3,
	SCTP_EVENT_COOKIE_ACK = 4,
	SCTP_EVENT_SHUTDOWN = 5,
	SCTP_EVENT_SHUTDOWN_ACK = 6,
	SCTP_EVENT_SHUTDOWN_COMPLETE = 7,
	SCTP_EVENT_ERROR = 8,
	SCTP_EVENT_ABORT = 9,
	SCTP_EVENTS = 10,
};

/* clang-format off */
static const __u8 sctp_events[] = {
	[SCTP_CHUNK_INIT] = SCTP_EVENT_INIT,
	[SCTP_CHUNK_INIT_ACK] = SCTP_EVENT_INIT_ACK,
	[SCTP_CHUNK_ABORT] = SCTP_EVENT_ABORT,
	[SCTP_CHUNK_SHUTDOWN] = SCTP_EVENT_SHUTDOWN,
	[SCTP_CHUNK_SHUTDOWN_ACK] = SCTP_EVENT_SHUTDOWN_ACK,
	[SCTP_CHUNK_ERROR] = SCTP_EVENT_ERROR,
	[SCTP_CHUNK_COOKIE_ECHO] = SCTP_EVENT_COOKIE_ECHO,
	[SCTP_CHUNK_COOKIE_ACK] = SCTP_EVENT_COOKIE_ACK,
	[SCTP_CHUNK_SHUTDOWN_COMPLETE] = SCTP_EVENT_SHUTDOWN_COMPLETE,
};

/* States as IPVS numbers them: CONN_SCTP is 0. */
#define NO 0
#define I1 1
#define IN 2
#define CS 3
#define CR 4
#define CW 5
#define CO 6
#define CE 7
#define ES 8
#define SS 9
#define SR 10
#define SA 11
#define RJ 12
#define CL 13

static const __u8 sctp_next[VIEWS][SCTP_EVENTS][SCTP_STATES] = {
	[VIEW_IN] = {
		/* from:                         NO  I1  IN  CS  CR  CW  CO  CE  ES  SS  SR  SA  RJ  CL */
		[SCTP_EVENT_DATA] =              { ES, I1, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_INIT] =              { I1, IN, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, IN, IN },
		[SCTP_EVENT_INIT_ACK] =          { CW, CW, CW, CS, CR, CO, CO, CE, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_COOKIE_ECHO] =       { CR, IN, IN, CR, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_COOKIE_ACK] =        { ES, I1, IN, CS, CR, CW, CO, ES, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_SHUTDOWN] =          { SR, I1, IN, CS, CR, CW, CO, CE, SR, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_SHUTDOWN_ACK] =      { CL, IN, IN, CS, CR, CW, CO, CE, ES, CL, SR, CL, RJ, CL },
		[SCTP_EVENT_SHUTDOWN_COMPLETE] = { CL, CL, CL, CS, CR, CW, CO, CE, ES, SS, SR, CL, RJ, CL },
		[SCTP_EVENT_ERROR] =             { CL, I1, IN, CS, CR, CW, CO, CL, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_ABORT] =             { CL, CL, CL, CL, CL, RJ, CL, CL, CL, CL, CL, CL, CL, CL },
	},
	[VIEW_OUT] = {
		[SCTP_EVENT_DATA] =              { ES, I1, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_INIT] =              { CW, CW, CW, CW, CW, CW, CW, CW, ES, CW, CW, CW, CW, CW },
		[SCTP_EVENT_INIT_ACK] =          { CS, CS, CS, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_COOKIE_ECHO] =       { CE, CE, CE, CE, CE, CE, CE, CE, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_COOKIE_ACK] =        { ES, ES, ES, ES, ES, ES, ES, ES, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_SHUTDOWN] =          { SS, SS, SS, SS, SS, SS, SS, SS, SS, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_SHUTDOWN_ACK] =      { SA, SA, SA, SA, SA, CW, CO, CE, ES, SA, SA, SA, RJ, CL },
		[SCTP_EVENT_SHUTDOWN_COMPLETE] = { CL, I1, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_ERROR] =             { CL, CL, CL, CL, CL, CW, CO, CE, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_ABORT] =             { CL, RJ, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL, CL },
	},
	[VIEW_IN_ONLY] = {
		[SCTP_EVENT_DATA] =              { ES, I1, IN, CS, CR, ES, CO, CE, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_INIT] =              { I1, IN, IN, IN, IN, IN, CO, CE, ES, SS, SR, SA, IN, IN },
		[SCTP_EVENT_INIT_ACK] =          { CE, CE, CE, CE, CE, CE, CO, CE, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_COOKIE_ECHO] =       { ES, ES, ES, ES, ES, ES, CO, CE, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_COOKIE_ACK] =        { ES, I1, IN, ES, ES, CW, ES, ES, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_SHUTDOWN] =          { SR, I1, IN, CS, CR, CW, CO, CE, SR, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_SHUTDOWN_ACK] =      { CL, IN, IN, CS, CR, CW, CO, CE, CL, CL, SR, CL, RJ, CL },
		[SCTP_EVENT_SHUTDOWN_COMPLETE] = { CL, CL, CL, CL, CL, CW, CO, CE, ES, SS, CL, CL, RJ, CL },
		[SCTP_EVENT_ERROR] =             { CL, I1, IN, CS, CR, CW, CO, CE, ES, SS, SR, SA, RJ, CL },
		[SCTP_EVENT_ABORT] =             { CL, CL, CL, CL, CL, RJ, CL, CL, CL, CL, CL, CL, CL, CL },
	},
};
/* clang-format on */

#undef NO
#undef I1
#undef IN
#undef CS
#undef CR
#undef CW
#undef CO
#undef CE
#undef ES
#undef SS
#undef SR
#undef SA
#undef RJ
#undef CL

/* enum sctp_event of a packet; chunk: its first one's type. */
static __always_inline __u8 sctp_event_of(__u8 chunk)
{
	return chunk < sizeof(sctp_events) ? sctp_events[chunk] : SCTP_EVENT_DATA;
}

/* event: enum sctp_event; view: enum state_view. A new connection comes as CONN_NONE. */
static __always_inline __u32 sctp_state_next(__u32 state, __u32 event, __u32 view)
{
	__u32 from = state - CONN_SCTP;

	if (from >= SCTP_STATES)
		from = 0;
	if (event >= SCTP_EVENTS || view >= VIEWS)
		return CONN_SCTP_CLOSED;
	return CONN_SCTP + sctp_next[view][event][from];
}

#endif
