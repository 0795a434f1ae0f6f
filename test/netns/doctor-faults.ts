// Faults of a router, and what lvsj doctor says of each: made one by one in doctor.test.ts.

export interface Fault {
  name: string;
  /** Shell in the director's namespace. */
  make: string;
  found: string[];
  /** Where no command is advised, or it leaves something of the fault behind. */
  afterwards?: string;
  /** What the advice leaves behind, and is no fault. */
  clean?: string;
}

export const faults: Fault[] = [
  {
    name: 'a strict reverse-path filter of a gateway link',
    make: 'sysctl -w net.ipv4.conf.eth2.rp_filter=1',
    found: [
      'error reverse-path: a strict reverse-path filter drops replies that come in by eth2 and not by the ' +
        "main table's way (rp_filter of all is 0, of eth2 1; the larger one counts)",
    ],
  },
  {
    name: 'a loose reverse-path filter of all links',
    make: 'sysctl -w net.ipv4.conf.all.rp_filter=2',
    found: [
      'error reverse-path: a reverse-path filter, strict or loose, drops every packet that the director has ' +
        'decided (rp_filter of all is 2, of lvsj0 0; the larger one counts)',
      "error reverse-path: a reverse-path filter, strict or loose, drops every packet of the router's own " +
        'that is shared out (rp_filter of all is 2, of lvsj0p 0; the larger one counts)',
    ],
  },
  {
    name: 'a strict reverse-path filter that goes by the mark',
    make: 'sysctl -w net.ipv4.conf.eth0.rp_filter=1; sysctl -w net.ipv4.conf.all.src_valid_mark=1',
    found: [
      'warning src-valid-mark: src_valid_mark=1 makes the strict reverse-path filter of eth0 go by the ' +
        'mark: packets whose mark leads elsewhere are dropped (tailscaled 1.98 sets it)',
    ],
  },
  {
    name: 'no forwarding',
    make: 'sysctl -w net.ipv4.ip_forward=0; sysctl -w net.ipv6.conf.all.forwarding=0',
    found: [
      'error forwarding: IPv4 forwarding is off: no packet passes',
      'error forwarding: IPv6 forwarding is off: no packet passes',
    ],
  },
  {
    name: 'a LAN link that does not forward',
    make: 'sysctl -w net.ipv4.conf.eth0.forwarding=0',
    found: ['error forwarding: eth0 forwards no IPv4: what comes in there ends there'],
  },
  {
    name: 'a default route from router advertisements that a router does not take',
    make: 'ip -6 route add default via fe80::1 dev eth1 proto ra metric 512',
    found: [
      'warning router-advertisements: eth1 learns its IPv6 default route from router advertisements, but a ' +
        'router with accept_ra=1 takes none: the route goes when its time is over',
    ],
    afterwards: 'ip -6 route del default via fe80::1 dev eth1',
  },
  {
    name: 'a smaller link',
    make: 'ip link set eth2 mtu 1400',
    found: [
      'warning mtu: gateway 203.0.113.1: packets of more than 1400 bytes do not fit, and eth0 has 1500: ' +
        'TCP hangs where ICMP is filtered',
    ],
  },
  {
    name: "SNAT to another link's address",
    make: 'iptables -t nat -I POSTROUTING 1 -o eth2 -p udp -j SNAT --to-source 192.0.2.2',
    found: [
      'error source-address: "iptables -t nat -A POSTROUTING -o eth2 -p udp -j SNAT --to-source 192.0.2.2" lets ' +
        'packets leave by eth2 with 192.0.2.2, which is an address of eth1: the provider drops them, or ' +
        'answers come in there',
    ],
  },
  {
    name: 'one source address for all links',
    make: 'iptables -t nat -A POSTROUTING -s 10.0.0.0/24 -j SNAT --to-source 192.0.2.2',
    found: [
      'error source-address: "iptables -t nat -A POSTROUTING -s 10.0.0.0/24 -j SNAT --to-source 192.0.2.2" ' +
        'gives packets the address 192.0.2.2 whichever link they leave by; only eth1 has it',
    ],
  },
  {
    name: 'a LAN with the network of a gateway',
    make: 'ip addr add 10.0.0.77/24 dev eth2',
    found: [
      'error networks: eth0 and eth2 have the same network, 10.0.0.0/24: the main table knows one place for ' +
        'an address that both have',
    ],
    afterwards: 'ip addr del 10.0.0.77/24 dev eth2',
  },
  {
    name: 'a default route in two halves',
    make: 'ip route add 0.0.0.0/1 via 192.0.2.1 dev eth1',
    found: [
      "error split-default: the main table's route 0.0.0.0/1 via 192.0.2.1 dev eth1 is no default route, so it " +
        'comes before the director: nothing that it covers is shared out',
    ],
  },
  {
    name: 'two default routes of the same metric',
    make: 'ip route append default via 203.0.113.1 dev eth2',
    found: [
      'warning default-routes: two IPv4 default routes have the same metric (eth1 and eth2): which one is used is chance',
    ],
  },
  {
    name: 'a default route that leads to no gateway',
    make: 'ip route add default via 100.64.3.1 dev eth3 metric 50',
    found: [
      'warning default-routes: the IPv4 default route of eth3 leads to no gateway: the director does not use that link',
    ],
    afterwards: 'ip route del default via 100.64.3.1 dev eth3 metric 50',
  },
  {
    name: "a rule before the director's that takes everything",
    make: 'ip route add default via 192.0.2.1 dev eth1 table 77; ip rule add priority 100 lookup 77',
    found: [
      "error policy-rules: ip -4 rule 100 (from all lookup 77) comes before the director's rules and takes the " +
        'packets of service 1: table 77 has a route to 0.0.0.0/0',
    ],
    clean: 'ip rule del priority 21000',
  },
  {
    name: 'a rule and a route of the director that are gone',
    make: 'ip rule del priority 20101; ip -6 rule del priority 20001; ip route del default table 20001',
    found: ["error objects: somebody has taken away policy rules or routes of the director's"],
  },
  {
    name: "a rule among the director's that is not its own",
    make: 'ip rule add priority 20500 lookup main',
    found: [
      "warning objects: the range of the director's policy rules and tables (20000 to 20999) has some that are not its own",
    ],
  },
  {
    name: 'the nftables table of the director that is gone',
    make: 'nft delete table inet lvsj',
    found: [
      'error objects: the nftables table inet lvsj is gone, or somebody has changed it: conntrack does not keep gateways as it should',
    ],
  },
  {
    name: "the route to the director's program that is gone",
    make: 'ip route del default table 20000',
    found: [
      "error objects: the route to the director's program is gone (IPv4, table 20000): nothing is shared out",
    ],
  },
  {
    name: 'a LAN link without its programs',
    make: 'tc filter del dev eth0 ingress',
    found: [
      "error lan-programs: eth0 is the LAN's, but the director's programs are not on it: its connections are neither known nor counted",
    ],
  },
  {
    name: 'a mark that uses the gateway bits',
    make: 'iptables -t mangle -A FORWARD -m mark --mark 0x40000000/0x40000000 -j ACCEPT',
    found: [
      'error marks: "iptables -t mangle -A FORWARD -m mark --mark 0x40000000/0x40000000 -j ACCEPT" tests the ' +
        'mark 0x40000000/0x40000000; 0xff000000 are the gateway bits',
    ],
  },
];
