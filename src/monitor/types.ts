// What goes in and out of the monitor's parts. Times are milliseconds of a clock that never jumps.

import type { ProbeConfig } from '../model/config.ts';

/** One answer, or none, of one probe. */
export interface ProbeResult {
  probe: ProbeConfig;
  /** When it was sent. */
  at: number;
  /**
   * `silent`: nobody answered, which traffic that flows speaks against; `wrong`: somebody did, but not
   * as it should be (a captive portal, SERVFAIL, a command that says no); `void`: it could not be
   * asked (no address, a program is missing): says nothing of the gateway.
   */
  outcome: 'ok' | 'silent' | 'wrong' | 'void';
  /** Round-trip time in ms; null where there is none. */
  rttMs: number | null;
  /** For people: `no answer in 300 ms`, `status 302 instead of 204`; '' if all is well. */
  detail: string;
}

/** What packets told since the sample before: see struct gateway_evidence in bpf/abi.h. */
export interface EvidenceSample {
  at: number;
  syns: number;
  synRepeats: number;
  synAnswers: number;
  asks: number;
  askAnswers: number;
  unreachables: number;
  /** Of IP packets. */
  bytesUp: number;
  bytesDown: number;
  /** Average time from SYN to SYN-ACK of those that came since; null if none did. */
  rttMs: number | null;
}

/** What a probe needs of its gateway: nothing of it may leave by another link. */
export interface ProbeTarget {
  /** Its name. */
  gateway: string;
  /** Network device. */
  link: string;
  family: 4 | 6;
  /** Next hop without %link; '' where the link itself is the way. */
  nextHop: string;
  /** The link's own address of that family that packets shall have; '' while there is none. */
  source: string;
  /** The mark's gateway bits of this gateway: policy rules lead a packet with them to its table. */
  mark: number;
  /** The link's first gateway of the family: policy rules lead there what is bound to the link and has no mark. */
  firstOfLink: boolean;
  /** DNS servers of its provider, asked for names in URLs; empty: those of the system. */
  resolvers: string[];
}
