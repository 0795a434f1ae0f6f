// IP protocols by name, as /etc/protocols has them; the connection table calls its templates 0.

const numbers: Readonly<Record<string, number>> = {
  template: 0,
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  ospf: 89,
  sctp: 132,
  udplite: 136,
};

const names = new Map(Object.entries(numbers).map(([name, number]) => [number, name]));

/** A name in any case, or a number from 0 to 255; undefined if it is neither. */
export function parseProtocol(word: string): number | undefined {
  const name = word.toLowerCase();
  if (Object.hasOwn(numbers, name)) return numbers[name];
  return /^\d{1,3}$/.test(word) && Number(word) <= 255 ? Number(word) : undefined;
}

/** `tcp`; the number where it has no name. */
export const formatProtocol = (number: number): string => names.get(number) ?? String(number);
