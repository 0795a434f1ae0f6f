// Takes bits out of the marks that conntrack keeps, by netlink. The tool conntrack can't: 1.4.7
// (Debian 12) reads no answer to its updates and ends at the 257th, "No buffer space available".

import * as libbpf from './libbpf.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_NETFILTER = 12;
const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NFNL_SUBSYS_CTNETLINK = 1 << 8;
const IPCTNL_MSG_CT_NEW = NFNL_SUBSYS_CTNETLINK | 0;
const IPCTNL_MSG_CT_GET = NFNL_SUBSYS_CTNETLINK | 1;
const CTA_TUPLE_ORIG = 1;
const CTA_MARK = 8;
const CTA_ZONE = 18;
const CTA_MARK_MASK = 21;
const NLA_TYPE_MASK = 0x3fff;

/** struct nlmsghdr, and struct nfgenmsg behind it. */
const headerLength = 16;
const nfgenLength = 4;
/** The kernel fills no more than 32 KiB at once. */
const receiveLength = 65536;

/** Clears these bits in the marks of all entries of this network namespace, of both families. */
export function clearMarks(mask: number): void {
  const open = () => libbpf.socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_NETFILTER);
  const [reader, writer] = [open(), open()];
  try {
    // Every failure here means the same: this kernel's conntrack can't be edited, and nothing is to do.
    send(reader, message(IPCTNL_MSG_CT_GET, NLM_F_DUMP, 0, []));
    const buffer = Buffer.alloc(receiveLength);
    for (let more = true; more; ) {
      const length = libbpf.receive(reader, buffer, buffer.length, 0);
      if (length <= 0) return;
      const part = buffer.subarray(0, length);
      more = !isLast(part);
      send(writer, planUpdates(part, mask));
    }
  } finally {
    for (const fd of [reader, writer]) if (fd >= 0) libbpf.closeFd(fd);
  }
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

/** One update for each entry of a dump whose mark has any of these bits; other bits stay. */
export function planUpdates(part: Buffer, mask: number): Buffer {
  const updates: Buffer[] = [];
  for (const { type, body } of messages(part)) {
    if (type !== IPCTNL_MSG_CT_NEW) continue;
    const found = attributes(body.subarray(nfgenLength));
    const mark = found.get(CTA_MARK)?.readUInt32BE(4) ?? 0;
    const tuple = found.get(CTA_TUPLE_ORIG);
    if (!tuple || (mark & mask) === 0) continue;
    const zone = found.get(CTA_ZONE);
    const changes = [attribute(CTA_MARK, 0), attribute(CTA_MARK_MASK, mask)];
    const all = [tuple, ...(zone ? [zone] : []), ...changes];
    updates.push(message(IPCTNL_MSG_CT_NEW, 0, body.readUInt8(0), all));
  }
  return Buffer.concat(updates);
}

/** By type; each with its own header, ready to be sent back. */
function attributes(bytes: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    if (length < 4) break;
    const type = bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK;
    found.set(type, bytes.subarray(at, at + aligned(length)));
    at += aligned(length);
  }
  return found;
}

function attribute(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16LE(bytes.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.writeUInt32BE(value >>> 0, 4);
  return bytes;
}

function message(type: number, flags: number, family: number, attributes: Buffer[]): Buffer {
  const header = Buffer.alloc(headerLength + nfgenLength);
  const body = Buffer.concat(attributes);
  header.writeUInt32LE(header.length + body.length, 0);
  header.writeUInt16LE(type, 4);
  header.writeUInt16LE(NLM_F_REQUEST | flags, 6);
  header.writeUInt8(family, headerLength);
  return Buffer.concat([header, body]);
}

const aligned = (length: number): number => (length + 3) & ~3;
