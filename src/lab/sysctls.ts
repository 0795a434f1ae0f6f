// The kernel settings of the lab's hosts. A new namespace copies the machine's IPv4 settings, so
// forwarding is said for every host.

type Sysctls = Record<string, string>;

/** Without duplicate address detection IPv6 works at once and not a second later. */
const immediate: Sysctls = {
  'net.ipv6.conf.all.disable_ipv6': '0',
  'net.ipv6.conf.default.disable_ipv6': '0',
  'net.ipv6.conf.default.accept_dad': '0',
};

export const host = (): Sysctls => ({ ...immediate, 'net.ipv4.ip_forward': '0' });

export const router = (): Sysctls => ({
  ...immediate,
  'net.ipv4.ip_forward': '1',
  'net.ipv6.conf.all.forwarding': '1',
});

/** A router that learns from router advertisements, on each link where there are any, also on one that is made anew. */
export const learning = (): Sysctls => ({
  ...router(),
  // 1 would be "unless it forwards".
  'net.ipv6.conf.default.accept_ra': '2',
  // Behind the route that an admin wrote (1024), or the kernel takes the two in turn.
  'net.ipv6.conf.default.ra_defrtr_metric': '1100',
});

/** The hosts beyond the director, which a test may cut off and which must answer the same each time. */
export const beyond = (): Sysctls => ({
  ...router(),
  // A second traceroute in the same second must see the same hops as the first.
  'net.ipv4.icmp_ratelimit': '0',
  'net.ipv6.icmp.ratelimit': '0',
  // An outage is a link set down and up again: only IPv6 would lose its addresses by it.
  'net.ipv6.conf.default.keep_addr_on_down': '1',
});
