// conntrack's entries by netlink: all of them read, and messages about some of them sent back. The tool
// conntrack can't: 1.4.7 (Debian 12) reads no answer to its updates and ends at the 257th, "No buffer
// space available".

import * as libbpf from './libbpf.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_NETFILTER = 12;
const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NFNL_SUBSYS_CTNETLINK = 1 << 8;
const NLA_TYPE_MASK = 0x3fff;
const NLA_F_NESTED = 0x8000;

export const ctMessage = {
  update: NFNL_SUBSYS_CTNETLINK | 0,
  get: NFNL_SUBSYS_CTNETLINK | 1,
  delete: NFNL_SUBSYS_CTNETLINK | 2,
} as const;

/** Of an entry, and inside its tuples. */
export const cta = {
  tupleOrig: 1,
  tupleReply: 2,
  status: 3,
  protocolInfo: 4,
  mark: 8,
  zone: 18,
  markMask: 21,
  tuple: { ip: 1, protocol: 2 },
  ip: { v4Destination: 2, v6Destination: 4 },
  protocol: { number: 1 },
  tcp: { own: 1, flagsOriginal: 4, flagsReply: 5 },
} as const;

/** struct nlmsghdr, and struct nfgenmsg behind it; a netlink attribute's own header. */
const headerLength = 16;
const nfgenLength = 4;
const attributeLength = 4;
/** The kernel fills no more than 32 KiB at once. */
const receiveLength = 65536;

/** One entry of a dump. */
export interface CtEntry {
  /** As nfgenmsg has it. */
  family: number;
  /** By type; each with its own header, ready to be sent back. */
  attributes: Map<number, Buffer>;
}

/** What a mark has to be in the bits of a mask. */
export const formatMarkFilter = (mark: number, mask: number): Buffer[] => [
  formatNumber(cta.mark, mark),
  formatNumber(cta.markMask, mask),
];

/** A netlink socket to netfilter; negative where the kernel has none. */
export const openNetfilter = (): number =>
  libbpf.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_NETFILTER);

/**
 * Sends what `plan` makes of each part of a dump of the entries of this network namespace: of all, or of
 * those that a filter lets pass.
 */
export function answerDump(plan: (part: Buffer) => Buffer, filter: Buffer[] = []): void {
  const [reader, writer] = [openNetfilter(), openNetfilter()];
  try {
    // Every failure here means the same: this kernel's conntrack can't be edited, and nothing is to do.
    send(reader, formatMessage(ctMessage.get, 0, filter, NLM_F_DUMP));
    const buffer = Buffer.alloc(receiveLength);
    for (let more = true; more; ) {
      const length = libbpf.receive(reader, buffer, buffer.length, 0);
      if (length <= 0) return;
      const part = buffer.subarray(0, length);
      more = !isLast(part);
      send(writer, plan(part));
    }
  } finally {
    for (const fd of [reader, writer]) if (fd >= 0) libbpf.closeFd(fd);
  }
}

/**
 * Forgets the entries of both families whose mark has these bits of a mask: one message, whose walk the kernel
 * has done when this comes back. Never without a mask: that would be all of them.
 */
export function deleteMarked(mark: number, mask: number): void {
  if (mask === 0) throw new Error('conntrack: a mask is needed');
  sendAlone(formatMessage(ctMessage.delete, 0, formatMarkFilter(mark, mask)));
}

/** Has the kernel load its conntrack, where that is a module that nobody has used yet: by a question. */
export function loadConntrack(): void {
  sendAlone(formatMessage(ctMessage.get, 0, []));
}

function sendAlone(message: Buffer): void {
  const fd = openNetfilter();
  send(fd, message);
  if (fd >= 0) libbpf.closeFd(fd);
}

function send(fd: number, bytes: Buffer): void {
  if (bytes.length > 0) libbpf.send(fd, bytes, bytes.length, 0);
}

interface Message {
  type: number;
  /** Behind the header. */
  body: Buffer;
}

function* messages(part: Buffer): Generator<Message> {
  for (let at = 0; at + headerLength <= part.length; ) {
    const length = part.readUInt32LE(at);
    if (length < headerLength) return;
    yield { type: part.readUInt16LE(at + 4), body: part.subarray(at + headerLength, at + length) };
    at += aligned(length);
  }
}

function isLast(part: Buffer): boolean {
  return [...messages(part)].some(({ type }) => type === NLMSG_DONE || type === NLMSG_ERROR);
}

/** The entries of a part of a dump. */
export function* entries(part: Buffer): Generator<CtEntry> {
  for (const { type, body } of messages(part))
    if (type === ctMessage.update)
      yield { family: body.readUInt8(0), attributes: attributes(body.subarray(nfgenLength)) };
}

function attributes(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + attributeLength <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < attributeLength) break;
    const type = bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK;
    found.set(type, bytes.subarray(at, at + aligned(length)));
    at += aligned(length);
  }
  return found;
}

/** The value of an attribute inside another. */
export function nested(attribute: Buffer | undefined, type: number): Buffer | undefined {
  return attribute && attributes(attribute.subarray(attributeLength)).get(type);
}

/** An attribute's own bytes, without what fills it up to a multiple of four. */
export const bytesOf = (attribute: Buffer): Buffer =>
  attribute.subarray(attributeLength, attribute.readUInt16LE(0));

/** Of an attribute that holds a 32-bit number; 0 where it is missing. */
export const numberOf = (attribute: Buffer | undefined): number =>
  attribute?.readUInt32BE(attributeLength) ?? 0;

export function formatNumber(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(bytes.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.writeUInt32BE(value >>> 0, 4);
  return bytes;
}

/** An attribute of any bytes. */
export function formatBytes(type: number, bytes: Buffer): Buffer {
  const all = Buffer.alloc(aligned(attributeLength + bytes.length));
  all.writeUInt16LE(attributeLength + bytes.length, 0);
  all.writeUInt16LE(type, 2);
  bytes.copy(all, attributeLength);
  return all;
}

/** An attribute that holds others. */
export const formatNested = (type: number, inner: Buffer[]): Buffer =>
  formatBytes(type | NLA_F_NESTED, Buffer.concat(inner));

export function formatMessage(
  type: number,
  family: number,
  attributes: (Buffer | undefined)[],
  flags = 0,
): Buffer {
  const header = Buffer.alloc(headerLength + nfgenLength);
  const body = Buffer.concat(attributes.filter((each) => each !== undefined));
  header.writeUInt32LE(header.length + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(NLM_F_REQUEST | flags, 6);
  header.writeUInt8(family, headerLength);
  return Buffer.concat([header, body]);
}

const aligned = (length: number): number => (length + 3) & ~3;
