// What packets told of a gateway's health, as running totals since the director started: see struct gateway_evidence
// of bpf/abi.h. Read by src/kernel/evidence.ts.

export interface EvidenceState {
  /** First SYNs of connections. */
  syns: number;
  /** SYNs that were sent again because nobody had answered. */
  synRepeats: number;
  /** Connections whose SYN was answered, by a SYN-ACK or a refusal. */
  synAnswers: number;
  /** First packets of connections that are no TCP. */
  asks: number;
  askAnswers: number;
  /** ICMP errors that said: there is no way. */
  unreachables: number;
  /** From SYN to SYN-ACK: place i counts those of 2^i to 2^(i+1) microseconds, the last one longer ones, too. */
  delays: number[];
  /** Of them all together, in microseconds. */
  delaysUs: number;
}

export interface EvidenceReading extends EvidenceState {
  /** Of IP packets, all services together. */
  bytesUp: number;
  bytesDown: number;
}
