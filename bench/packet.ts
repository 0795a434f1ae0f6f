// The one packet of all measurements: UDP in IPv4, 64 bytes on the wire (60 and Ethernet's checksum).

const frameBytes = 60;
const ethernetBytes = 14;
const server = '198.51.100.10';
const udpOffset = ethernetBytes + 20;

/** Link addresses: all zeros are those of `lo`, which BPF_PROG_TEST_RUN takes for its own. */
const noLinkAddress = '00:00:00:00:00:00';

const bytesOf = (text: string, separator: string, base: number): Buffer =>
  Buffer.from(text.split(separator).map((part) => Number.parseInt(part, base)));

/** Addresses and ports are written by the programs that send it. */
export function udpFrame(options: { to?: string; from?: string } = {}): Buffer {
  const { to = noLinkAddress, from = noLinkAddress } = options;
  const frame = Buffer.alloc(frameBytes);
  bytesOf(to, ':', 16).copy(frame, 0);
  bytesOf(from, ':', 16).copy(frame, 6);
  frame.writeUInt16BE(0x0800, 12);
  frame[ethernetBytes] = 0x45;
  frame.writeUInt16BE(frameBytes - ethernetBytes, ethernetBytes + 2);
  frame[ethernetBytes + 8] = 64;
  frame[ethernetBytes + 9] = 17;
  bytesOf(server, '.', 10).copy(frame, ethernetBytes + 16);
  frame.writeUInt16BE(7, udpOffset + 2);
  // No UDP checksum: IPv4 allows it.
  frame.writeUInt16BE(frameBytes - udpOffset, udpOffset + 4);
  return frame;
}
