// IP protocols by name, as /etc/protocols has them.

export const protocolNames: ReadonlyMap<string, number> = new Map(
  Object.entries({
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
  }),
);

/** What the connection table has for its templates. */
const template = { name: 'template', number: 0 };

const byNumber = new Map([...protocolNames].map(([name, number]) => [number, name]));
byNumber.set(template.number, template.name);

/** Of connections: a name in any case, `template`, or a number from 0 to 255; undefined if it is none. */
export function parseProtocol(word: string): number | undefined {
  const name = word.toLowerCase();
  const number = name === template.name ? template.number : protocolNames.get(name);
  if (number !== undefined) return number;
  return /^\d{1,3}$/.test(word) && Number(word) <= 255 ? Number(word) : undefined;
}

/** `tcp`, `template`; the number where it has no name. */
export const formatProtocol = (number: number): string => byNumber.get(number) ?? String(number);
