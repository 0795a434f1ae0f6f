// Files that are wrong, and every line that is said of them: `line:column: key: reason; hint`.

export interface ProblemCase {
  name: string;
  text: string;
  problems: string[];
}

export const problemCases: ProblemCase[] = [
  {
    name: 'an empty file',
    text: `
# nothing
`,
    problems: ['1:1: the file is empty; write gateways:, services: and rules:'],
  },
  {
    name: 'a list',
    text: `
- a
`,
    problems: [
      '2:1: must be a map (key: value), not a list; write gateways:, services: and rules:',
    ],
  },
  {
    name: 'YAML that ends early',
    text: `
gateways: { a: {
`,
    problems: [
      '3:1: YAML: Flow map in block collection must be sufficiently indented and end with a }',
    ],
  },
  {
    name: 'two documents',
    text: `
lan: eth0
---
lan: eth1
`,
    problems: ['3:1: YAML: a second document: a file holds one'],
  },
  {
    name: 'a tab for blanks',
    text: `
lan:
	- eth0
`,
    problems: ['3:1: YAML: Tabs are not allowed as indentation'],
  },
  {
    name: 'an unknown tag',
    text: `
lan: !link eth0
`,
    problems: ['2:6: YAML: Unresolved tag: !link'],
  },
  {
    name: 'an alias without an anchor',
    text: `
lan: *links
`,
    problems: ['2:6: lan: there is no anchor &links before this *links'],
  },
  {
    name: 'an alias of itself',
    text: `
rules: &r [*r]
`,
    problems: [
      '2:11: rules.0: must be a map (key: value), not a list',
      '2:12: from here the file unfolds into too much',
    ],
  },
  {
    name: 'a key that stands twice',
    text: `
gateways: { a: { link: eth1, via: 192.0.2.1 } }
gateways: {}
`,
    problems: ['3:1: gateways: "gateways" is here twice, first on line 2; leave one of them'],
  },
  {
    name: 'a key that is no word',
    text: `
? [a]
: b
`,
    problems: ['2:3: a key must be a word, not a list, a map or nothing'],
  },
  {
    name: 'unknown keys, with the nearest',
    text: `
gatway: {}
gateways: { a: { link: eth1, via: 192.0.2.1 } }
services:
  web: { fwmark: 1, gateways: { a: { wieght: 1 } }, schedular: wlc, persistent: { tiemout: 3 } }
rules: [{ form: 10.0.0.0/8, service: web }]
settings: { sloppy_tpc: 1 }
`,
    problems: [
      '2:1: gatway: there is no key "gatway" here; nearest: gateways',
      '5:38: services.web.gateways.a.wieght: there is no key "wieght" here; nearest: weight',
      '5:53: services.web.schedular: there is no key "schedular" here; nearest: scheduler',
      '5:83: services.web.persistent.tiemout: there is no key "tiemout" here; nearest: timeout',
      '6:11: rules.0.form: there is no key "form" here; nearest: from',
      '7:13: settings.sloppy_tpc: there is no key "sloppy_tpc" here; nearest: sloppy_tcp',
    ],
  },
  {
    name: 'an unknown key that is near to none',
    text: `
frobnicate: 1
`,
    problems: [
      '2:1: frobnicate: there is no key "frobnicate" here; known: lan, router, connections, mark-mask, timeouts, settings, fastpath, api, hooks, gateways, services, sets, rules',
    ],
  },
  {
    name: 'items of the wrong kind',
    text: `
gateways: [a]
services: { web: 3 }
rules: { a: b }
sets: none
lan: { a: b }
`,
    problems: [
      '2:11: gateways: must be a map (name: …), not a list',
      '3:18: services.web: must be a map (key: value), not "3"',
      '4:8: rules: must be a list (- …), not a map',
      '5:7: sets: must be a map (name: …), not "none"',
      '6:6: lan: must be a link, such as eth0, not a map',
    ],
  },
  {
    name: 'what is missing',
    text: `
gateways:
  a: {}
services:
  web: {}
rules:
  - {}
sets:
  x: {}
`,
    problems: [
      '3:3: gateways.a.link: is missing; write a link, such as eth0',
      '5:3: services.web.fwmark: is missing; write a whole number from 1 to 4294967295',
      '5:3: services.web.gateways: is missing; write a map (key: value)',
      '7:5: rules.0.service: is missing; write the name of a service, or main',
      '9:6: sets.x: a set needs prefixes, a file or domains',
    ],
  },
  {
    name: 'what has no value',
    text: `
gateways:
  a:
    link:
    via: 192.0.2.1
services:
  web:
`,
    problems: [
      '4:10: gateways.a.link: has no value; write a link, such as eth0, or leave the key out',
      '7:7: services.web: must be a map (key: value), not nothing',
    ],
  },
  {
    name: 'names',
    text: `
gateways:
  1st: { link: eth1 }
  a_name_that_is_longer_than_it_may_be: { link: eth2 }
services: { main: { fwmark: 1, gateways: { 1st: 1 } } }
`,
    problems: [
      '3:3: gateways.1st: "1st" is not a name; a name is a letter, then up to 31 letters, digits, - or _',
      '4:3: gateways.a_name_that_is_longer_than_it_may_be: "a_name_that_is_longer_than_it_may_be" is not a name; a name is a letter, then up to 31 letters, digits, - or _',
      '5:13: services.main: "main" is the main table\'s name in rules',
      '5:44: services.main.gateways.1st: "1st" is not a name; a name is a letter, then up to 31 letters, digits, - or _',
    ],
  },
  {
    name: 'a next hop of the wrong family',
    text: `
gateways:
  a: { link: eth1, via: { ipv4: 2001:db8::1, ipv6: 192.0.2.1 } }
`,
    problems: [
      '3:33: gateways.a.via.ipv4: 2001:db8::1 is IPv6; write an IPv4 address, or this one at ipv6',
      '3:52: gateways.a.via.ipv6: 192.0.2.1 is IPv4; write an IPv6 address, or this one at ipv4',
    ],
  },
  {
    name: 'a next hop that is none',
    text: `
gateways:
  a: { link: eth1, via: 192.0.2 }
  b: { link: eth1, via: 224.0.0.1 }
  c: { link: eth1, via: ::1 }
  d: { link: eth1, via: {} }
  e: { link: eth1, via: [auto] }
`,
    problems: [
      '3:25: gateways.a.via: "192.0.2" is not the address of a next hop, auto or onlink',
      '4:25: gateways.b.via: "224.0.0.1" is not the address of a next hop, auto or onlink',
      '5:25: gateways.c.via: "::1" is not the address of a next hop, auto or onlink',
      '6:25: gateways.d.via: there is no next hop in it; write ipv4, ipv6 or both',
      '7:25: gateways.e.via: must be the address of a next hop, auto or onlink, not a list',
    ],
  },
  {
    name: 'a next hop on another link',
    text: `
gateways:
  a: { link: eth1, via: fe80::1%eth2 }
  b: { link: eth1, via: 2001:db8::1%eth1 }
`,
    problems: [
      '3:25: gateways.a.via: the next hop is on eth2, the gateway on eth1',
      '4:25: gateways.b.via: "2001:db8::1%eth1" is not the address of a next hop, auto or onlink',
    ],
  },
  {
    name: 'two gateways with one next hop',
    text: `
gateways:
  a: { link: eth1, via: fe80::1 }
  b: { link: eth1, via: { ipv4: auto, ipv6: fe80::1%eth1 } }
  c: { link: eth1 }
  d: { link: eth2, via: fe80::1 }
`,
    problems: [
      '4:45: gateways.b.via.ipv6: next hop fe80::1%eth1 on eth1 is also that of gateways.a (line 3); a gateway can be in several services',
      '5:3: gateways.c.via: next hop auto on eth1 is also that of gateways.b (line 4); a gateway can be in several services',
    ],
  },
  {
    name: 'source addresses',
    text: `
gateways:
  a: { link: eth1, snat: masq }
  b: { link: eth2, snat: { ipv4: 2001:db8::1 } }
  c: { link: eth3, snat: { npt: 10.0.0.0/8 } }
  d: { link: eth4, snat: { ipv6: { npt: 2001:db8::1/64 } } }
`,
    problems: [
      '3:26: gateways.a.snat: "masq" is not an address, masquerade or none',
      '4:34: gateways.b.snat.ipv4: 2001:db8::1 is IPv6; write an IPv4 address, or this one at ipv6',
      '5:33: gateways.c.snat.npt: "10.0.0.0/8" is not an IPv6 prefix of at most 112 bits, such as 2001:db8:1::/56',
      '6:41: gateways.d.snat.ipv6.npt: "2001:db8::1/64" has bits behind its length; write 2001:db8::/64 for all of it, or 2001:db8::1 for one address',
    ],
  },
  {
    name: 'source addresses of a family that it has not, or twice',
    text: `
gateways:
  a: { link: eth1, via: 192.0.2.1, snat: 2001:db8::2 }
  b: { link: eth2, via: { ipv6: fe80::1 }, snat: { ipv4: 192.0.2.2 } }
  c: { link: eth3, snat: { ipv6: none, npt: 2001:db8::/56 } }
  d: { link: eth4, via: 192.0.2.1, snat: { npt: 2001:db8::/56 } }
`,
    problems: [
      '3:42: gateways.a.snat: 2001:db8::2 is IPv6, but this gateway has no IPv6 next hop; give it one: via: { ipv6: … }',
      '4:58: gateways.b.snat.ipv4: 192.0.2.2 is IPv4, but this gateway has no IPv4 next hop; give it one: via: { ipv4: … }',
      '5:45: gateways.c.snat.npt: npt is what ipv6 would be: write one of them',
      '6:36: gateways.d.snat.ipv6: 2001:db8::/56 is IPv6, but this gateway has no IPv6 next hop; give it one: via: { ipv6: … }',
    ],
  },
  {
    name: 'mtu and capacity',
    text: `
gateways:
  a: { link: eth1, mtu: 100, capacity: { down: 30, up: 5MB } }
`,
    problems: [
      '3:25: gateways.a.mtu: "100" is not a whole number from 576 to 65535',
      '3:48: gateways.a.capacity.down: "30" is not bits a second with k, M or G, from 1k to 1000G, such as 250M',
      '3:56: gateways.a.capacity.up: "5MB" is not bits a second with k, M or G, from 1k to 1000G, such as 250M',
    ],
  },
  {
    name: 'a monitor',
    text: `
gateways:
  a: { link: eth1, monitor: off }
  b: { link: eth2, monitor: { probes: { ping: 192.0.2.1 }, intervall: 1s } }
  c: { link: eth3, monitor: { interval: 2h, timeout: 0, fall: 0, window: all } }
  d: { link: eth4, monitor: { interval: 500ms, burst: 1s } }
`,
    problems: [
      '3:29: gateways.a.monitor: "off" is not none, or a map of probes; known: none',
      '4:39: gateways.b.monitor.probes: must be a list, not a map',
      '4:60: gateways.b.monitor.intervall: there is no key "intervall" here; nearest: interval',
      '5:41: gateways.c.monitor.interval: "2h" is not a time from 10ms to 1h',
      '5:54: gateways.c.monitor.timeout: "0" is not a time from 10ms to 1m',
      '5:63: gateways.c.monitor.fall: "0" is not a whole number from 1 to 1000',
      '5:74: gateways.c.monitor.window: "all" is not a whole number from 1 to 1000',
      '6:55: gateways.d.monitor.burst: burst is longer than interval',
    ],
  },
  {
    name: 'thresholds of a monitor',
    text: `
gateways:
  a: { link: eth1, monitor: { loss: { down: 5%, up: 20% }, latency: { down: 300ms }, hold: 2d } }
  b: { link: eth2, monitor: { loss: { down: 101%, up: 0 }, latency: 5, hold: { first: 5s, most: 2s } } }
`,
    problems: [
      '3:53: gateways.a.monitor.loss.up: up must be below down',
      '3:60: gateways.a.monitor.latency.up: is missing; write a duration such as 300s, 5m, 1h',
      '3:92: gateways.a.monitor.hold: "2d" is not a time from 0ms to 1d',
      '4:45: gateways.b.monitor.loss.down: "101%" is not a percentage above 0, such as 20%',
      '4:55: gateways.b.monitor.loss.up: "0" is not a percentage above 0, such as 20%',
      '4:69: gateways.b.monitor.latency: must be a map (key: value), not "5"',
      '4:97: gateways.b.monitor.hold.most: most is below first',
    ],
  },
  {
    name: 'probes',
    text: `
gateways:
  a:
    link: eth1
    monitor:
      probes:
        - ping: host
        - ping: fe80::1%eth1
        - png: 192.0.2.1
        - { ping: 192.0.2.1, bfd: true }
        - neighbour: no
        - tcp: "2001:db8::1:443"
        - tcp: "192.0.2.1:0"
        - dns: { server: 192.0.2.1, port: 0, name: localhost, type: A }
        - http: ftp://example.com/
        - http: http://me:secret@example.com/
        - http: { status: 99, body: "" }
`,
    problems: [
      '7:17: gateways.a.monitor.probes.0.ping: "host" is not the address of a host',
      '8:17: gateways.a.monitor.probes.1.ping: "fe80::1%eth1" has a link of its own; leave it out: the gateway\'s is taken',
      '9:11: gateways.a.monitor.probes.2.png: there is no key "png" here; nearest: ping',
      '9:11: gateways.a.monitor.probes.2: a probe is one of ping, tcp, dns, http, neighbour, bfd, command',
      '10:11: gateways.a.monitor.probes.3: a probe is one of ping, tcp, dns, http, neighbour, bfd, command',
      '11:22: gateways.a.monitor.probes.4.neighbour: "no" is not true; write true, or leave it out',
      '12:16: gateways.a.monitor.probes.5.tcp: "2001:db8::1:443" is not an address and a port such as 192.0.2.9:443 or "[2001:db8::9]:443"',
      '13:16: gateways.a.monitor.probes.6.tcp: "192.0.2.1:0" is not an address and a port such as 192.0.2.9:443 or "[2001:db8::9]:443"',
      '14:43: gateways.a.monitor.probes.7.dns.port: "0" is not a whole number from 1 to 65535',
      '14:52: gateways.a.monitor.probes.7.dns.name: "localhost" is not a domain name such as example.com',
      '14:63: gateways.a.monitor.probes.7.dns.type: there is no key "type" here; known: server, port, name',
      '15:17: gateways.a.monitor.probes.8.http: "ftp://example.com/" is not a URL such as http://example.com/',
      '16:17: gateways.a.monitor.probes.9.http: has a password in it; who sees the configuration sees it',
      '17:11: gateways.a.monitor.probes.10.http.url: is missing; write a URL such as http://example.com/',
      '17:27: gateways.a.monitor.probes.10.http.status: "99" is not a whole number from 100 to 599',
      '17:37: gateways.a.monitor.probes.10.http.body: "" is not a text',
    ],
  },
  {
    name: 'commands',
    text: `
gateways:
  a:
    link: eth1
    monitor:
      probes:
        - command: probe.sh
        - command: /usr/bin/probe --link eth1
        - command: []
        - command: [probe.sh, eth1]
        - command: { program: /usr/bin/probe }
hooks:
  - { on: dwn, command: /, timeout: 0 }
  - { on: [] }
`,
    problems: [
      '7:20: gateways.a.monitor.probes.0.command: "probe.sh" is not the absolute path of a program; no shell looks for it: write all of it, /usr/…',
      '8:20: gateways.a.monitor.probes.1.command: "/usr/bin/probe --link eth1" is more than a path; no shell reads it: write [/usr/bin/probe, --link, eth1]',
      '9:20: gateways.a.monitor.probes.2.command: the list is empty: write the path of a program',
      '10:21: gateways.a.monitor.probes.3.command.0: "probe.sh" is not the absolute path of a program; no shell looks for it: write all of it, /usr/…',
      '11:20: gateways.a.monitor.probes.4.command: must be the path of a program, or a list of it and its arguments, not a map',
      '13:11: hooks.0.on: "dwn" is not a health; nearest: down',
      '13:25: hooks.0.command: "/" is not the absolute path of a program; no shell looks for it: write all of it, /usr/…',
      '13:37: hooks.0.timeout: "0" is not a time from 100ms to 1h',
      '14:5: hooks.1.command: is missing; write the path of a program, or a list of it and its arguments',
      '14:11: hooks.1.on: the list is empty: leave the key out',
    ],
  },
  {
    name: 'probes that judge no family of their gateway, or no more than a quorum asks for',
    text: `
gateways:
  a: { link: eth1, via: 192.0.2.1, monitor: { probes: [{ ping: 2001:db8::7 }, { http: "http://[2001:db8::7]/" }] } }
  b: { link: ppp0, via: onlink, monitor: { probes: [{ neighbour: true }, { bfd: true }] } }
  c: { link: eth2, monitor: { probes: [{ dns: 192.0.2.7 }, { ping: 192.0.2.8 }, { bfd: true }], quorum: 2 } }
  d: { link: eth3, monitor: { probes: [{ dns: 192.0.2.9 }], quorum: 2 } }
`,
    problems: [
      '3:64: gateways.a.monitor.probes.0.ping: this is IPv6, but the gateway has no IPv6 next hop; ask somebody of IPv4, or give it one: via: { ipv6: … }',
      '3:87: gateways.a.monitor.probes.1.http: this is IPv6, but the gateway has no IPv6 next hop; ask somebody of IPv4, or give it one: via: { ipv6: … }',
      '4:66: gateways.b.monitor.probes.0.neighbour: there is no next hop to ask: the link itself is the way; ping somebody behind it',
      '4:81: gateways.b.monitor.probes.1.bfd: there is no next hop to ask: the link itself is the way; ping somebody behind it',
      '5:105: gateways.c.monitor.quorum: a quorum of 2, but 1 of the probes judges IPv6; an address judges its own family alone',
      '6:69: gateways.d.monitor.quorum: a quorum of 2, but 1 of the probes judges IPv4; an address judges its own family alone',
    ],
  },
  {
    name: 'monitors that see less than they seem to',
    text: `
gateways:
  a: { link: eth1, via: 192.0.2.1, monitor: { probes: [{ ping: 192.0.2.1 }], interval: 30s } }
  b: { link: eth2, via: 192.0.2.1, monitor: { probes: [{ neighbour: true }, { ping: 192.0.2.7 }] } }
  c: { link: eth3, via: fe80::1, monitor: { probes: [{ neighbour: true }, { ping: fe80::1 }, { bfd: true }], fall: 60 } }
  d: { link: eth4, via: 192.0.2.1, monitor: { probes: [{ bfd: true }, { http: "http://example.com/" }], quorum: 2 } }
services: { web: { fwmark: 1, gateways: { a: 1, b: 1, c: 1, d: 1 } } }
rules: [{ service: web }]
`,
    problems: [
      '3:56: warning: gateways.a.monitor.probes.0: the next hop says nothing of what lies behind it; ask somebody beyond it; neighbour: true watches the next hop',
      '3:88: warning: gateways.a.monitor.interval: fall × interval is 90 s: a dead gateway is noticed late; probes are small: one a second costs nothing',
      "4:56: warning: gateways.b.monitor.probes.0: the next hop's answer makes a quorum of 1 alone, whatever is dead behind it; write quorum: 2",
      '5:75: warning: gateways.c.monitor.probes.1: the next hop says nothing of what lies behind it; ask somebody beyond it; neighbour: true watches the next hop',
    ],
  },
  {
    name: 'resolvers',
    text: `
gateways:
  a: { link: eth1, resolvers: [192.0.2.53, host] }
  b: { link: eth2, via: 192.0.2.1, resolvers: 2001:db8::53 }
  c: { link: eth3, resolvers: [192.0.2.54, 192.0.2.54, 192.0.2.53] }
  d: { link: eth4, resolvers: 192.0.2.54 }
`,
    problems: [
      '3:44: gateways.a.resolvers.1: "host" is not the address of a host',
      '4:47: gateways.b.resolvers: 2001:db8::53 is IPv6, but this gateway has no IPv6 next hop; give it one: via: { ipv6: … }',
      '6:31: gateways.d.resolvers: 192.0.2.54 is also that of gateways.c (line 5); one that every line reaches needs no line of its own: leave it out of both',
    ],
  },
  {
    name: 'what a service does when gateways fail and come back',
    text: `
gateways: { a: { link: eth1, via: 192.0.2.1 } }
services:
  web: { fwmark: 1, on-down: rest, failback: back, last-resort: none, gateways: { a: { tier: 9 } } }
  dns: { fwmark: 2, on-down: { action: keep, idle: true }, failback: { drain: 0 }, gateways: { a: 1 } }
`,
    problems: [
      '4:30: services.web.on-down: "rest" is not an action; nearest: reset',
      '4:46: services.web.failback: "back" is not a failback; known: stay, new, now',
      '4:65: services.web.last-resort: "none" is not a last resort; known: main, unreachable, drop',
      '4:94: services.web.gateways.a.tier: "9" is not a whole number from 1 to 8',
      '5:52: services.dns.on-down.idle: only reset does anything to idle connections',
      '5:79: services.dns.failback.drain: "0" is not a time of whole seconds, from 1s to 31d',
    ],
  },
  {
    name: 'what does nothing as a service is',
    text: `
gateways: { a: { link: eth1, via: 192.0.2.1 }, b: { link: eth2, via: 192.0.2.1 } }
services:
  web: { fwmark: 1, failback: now, gateways: { a: { tier: 2 }, b: { tier: 2 } } }
  dns: { fwmark: 2, one-packet: true, on-down: reset, gateways: { a: 1 } }
  ntp: { fwmark: 3, one-packet: true, failback: new, gateways: { a: 1, b: { tier: 2 } } }
rules:
  - { dport: 53, service: dns }
  - { dport: 123, service: ntp }
  - { service: web }
`,
    problems: [
      '4:31: warning: services.web.failback: does nothing: there is one tier, so nobody has to go back to another; give the gateways that are to stand by a tier: { weight: 1, tier: 2 }',
      '5:48: warning: services.dns.on-down: does nothing: with one-packet there is no connection whose gateway could be down',
    ],
  },
  {
    name: 'a gateway that a service does not find',
    text: `
gateways: { fibre: { link: eth1, via: 192.0.2.1 } }
services:
  web: { fwmark: 1, gateways: { b: 1, fiber: 2 } }
`,
    problems: [
      '4:33: services.web.gateways.b: there is no gateway "b"; known: fibre',
      '4:39: services.web.gateways.fiber: there is no gateway "fiber"; nearest: fibre',
    ],
  },
  {
    name: 'a service without a gateway',
    text: `
services:
  web: { fwmark: 1, gateways: {} }
`,
    problems: ['3:31: services.web.gateways: a service needs a gateway'],
  },
  {
    name: 'a gateway twice in a service',
    text: `
gateways: { a: { link: eth1, via: 192.0.2.1 } }
services:
  web: { fwmark: 1, gateways: { a: 1, a: 2 } }
`,
    problems: [
      '4:39: services.web.gateways.a: "a" is here twice, first on line 4; leave one of them',
    ],
  },
  {
    name: 'weights and thresholds',
    text: `
gateways: { a: { link: eth1, via: 192.0.2.1 } }
services:
  web: { fwmark: 1, gateways: { a: { weight: -1, upper: 2147483648 } } }
  dns: { fwmark: 2, gateways: { a: { upper: 10, lower: 11 } } }
`,
    problems: [
      '4:46: services.web.gateways.a.weight: "-1" is not a whole number from 0 to 2147483647',
      '4:57: services.web.gateways.a.upper: "2147483648" is not a whole number from 0 to 2147483647',
      '5:56: services.dns.gateways.a.lower: lower is above upper',
    ],
  },
  {
    name: 'marks with gateway bits',
    text: `
mark-mask: 0xff00
gateways: { a: { link: eth1, via: 192.0.2.1 } }
services:
  web: { fwmark: 0x101, gateways: { a: 1 } }
  dns: { fwmark: 0xff00, gateways: { a: 1 } }
`,
    problems: [
      '5:18: services.web.fwmark: fwmark 0x101 touches 0x0000ff00, the bits that hold the gateway; 1 to 255 are free',
      '6:18: services.dns.fwmark: fwmark 0xff00 touches 0x0000ff00, the bits that hold the gateway; 1 to 255 are free',
    ],
  },
  {
    name: 'marks that are none, or twice',
    text: `
mark-mask: 0xff01
gateways: { a: { link: eth1, via: 192.0.2.1 } }
services:
  web: { fwmark: 0, gateways: { a: 1 } }
  dns: { fwmark: 7, gateways: { a: 1 } }
  ntp: { fwmark: 0x7, gateways: { a: 1 } }
`,
    problems: [
      '2:12: mark-mask: "0xff01" is not eight bits in a row, such as 0xff000000',
      '5:18: services.web.fwmark: "0" is not a whole number from 1 to 4294967295',
      '7:18: services.ntp.fwmark: fwmark 7 is also that of services.dns (line 6); each service has its own',
    ],
  },
  {
    name: 'schedulers and their flags',
    text: `
gateways: { a: { link: eth1, via: 192.0.2.1 } }
services:
  web: { fwmark: 1, scheduler: wcl, gateways: { a: 1 } }
  dns: { fwmark: 2, scheduler: sh, scheduler-flags: [sh-port, mh-port], gateways: { a: 1 } }
`,
    problems: [
      '4:32: services.web.scheduler: "wcl" is not a scheduler; nearest: wlc',
      '5:63: services.dns.scheduler-flags.1: the scheduler sh has no flag "mh-port"',
    ],
  },
  {
    name: 'persistence',
    text: `
gateways: { a: { link: eth1, via: 192.0.2.1 } }
services:
  web: { fwmark: 1, persistent: soon, gateways: { a: 1 } }
  dns: { fwmark: 2, persistent: { timeout: 40d, netmask: 255.0.255.0, netmask6: 129, key: client }, gateways: { a: 1 } }
  ntp: { fwmark: 3, persistent: 1500ms, one-packet: maybe, gateways: { a: 1 } }
`,
    problems: [
      '4:33: services.web.persistent: "soon" is not a duration such as 300s, 5m, 1h',
      '5:44: services.dns.persistent.timeout: "40d" is not a time of whole seconds, from 1s to 31d',
      '5:58: services.dns.persistent.netmask: "255.0.255.0" is not a prefix length from 1 to 32, or a mask such as 255.255.255.0',
      '5:81: services.dns.persistent.netmask6: "129" is not a prefix length from 1 to 128',
      '5:91: services.dns.persistent.key: "client" is not a persistence key; known: source, destination, source-destination',
      '6:33: services.ntp.persistent: "1500ms" is not a time of whole seconds, from 1s to 31d',
      '6:53: services.ntp.one-packet: "maybe" is not true or false',
    ],
  },
  {
    name: 'a service, a set or a name that a rule does not find',
    text: `
gateways: { a: { link: eth1, via: 192.0.2.1 } }
services: { web: { fwmark: 1, gateways: { a: 1 } } }
rules:
  - { to: ["@lan", "@vpn"], service: wob }
  - { from: "@streeming", service: main }
sets: { streaming: { domains: [example.com] } }
router: wbe
`,
    problems: [
      '5:12: rules.0.to.0: there is no set "lan"; known: streaming',
      '5:20: rules.0.to.1: there is no set "vpn"; known: streaming',
      '5:38: rules.0.service: there is no service "wob"; nearest: web',
      '6:13: rules.1.from: there is no set "streeming"; nearest: streaming',
      '8:9: router: there is no service "wbe"; nearest: web',
    ],
  },
  {
    name: 'a set without its quotes',
    text: `
rules:
  - { to: @lan, service: main }
sets: { lan: { prefixes: [10.0.0.0/8] } }
`,
    problems: [
      '3:11: YAML: Plain value cannot start with reserved character @; write it in quotes',
    ],
  },
  {
    name: 'prefixes',
    text: `
rules:
  - { from: [10.0.0.1/24, 10.0.0.0/33, 2001:db8::/129, "::ffff:192.0.2.1", example.com], service: main }
`,
    problems: [
      '3:14: rules.0.from.0: "10.0.0.1/24" has bits behind its length; write 10.0.0.0/24 for all of it, or 10.0.0.1 for one address',
      '3:27: rules.0.from.1: "10.0.0.0/33" is not a prefix such as 10.0.0.0/24 or 2001:db8::/32, or "@set"',
      '3:40: rules.0.from.2: "2001:db8::/129" is not a prefix such as 10.0.0.0/24 or 2001:db8::/32, or "@set"',
      '3:56: rules.0.from.3: "::ffff:192.0.2.1" is not a prefix such as 10.0.0.0/24 or 2001:db8::/32, or "@set"',
      '3:76: rules.0.from.4: "example.com" is not a prefix such as 10.0.0.0/24 or 2001:db8::/32, or "@set"',
    ],
  },
  {
    name: 'ports, protocols and DSCP',
    text: `
rules:
  - { proto: [tpc, 256], dport: [0-65536, 90-80, http-], sport: any, dscp: [64, af44], service: main }
`,
    problems: [
      '3:15: rules.0.proto.0: "tpc" is not a protocol such as tcp, udp, icmp, or a number from 0 to 255',
      '3:20: rules.0.proto.1: "256" is not a protocol such as tcp, udp, icmp, or a number from 0 to 255',
      '3:34: rules.0.dport.0: "0-65536" is not a port such as 443, https or 8000-8099',
      '3:43: rules.0.dport.1: "90-80" is not a port such as 443, https or 8000-8099',
      '3:50: rules.0.dport.2: "http-" is not a port such as 443, https or 8000-8099',
      '3:65: rules.0.sport: "any" is not a port such as 443, https or 8000-8099',
      '3:77: rules.0.dscp.0: "64" is not a DSCP from 0 to 63, or a name such as cs1, af41, ef',
      '3:81: rules.0.dscp.1: "af44" is not a DSCP from 0 to 63, or a name such as cs1, af41, ef',
    ],
  },
  {
    name: 'an empty list',
    text: `
rules:
  - { from: [], service: main }
`,
    problems: ['3:13: rules.0.from: the list is empty: leave the key out'],
  },
  {
    name: 'links',
    text: `
lan: [eth0/1]
rules:
  - { link: "eth*", service: main }
`,
    problems: [
      '2:7: lan.0: "eth0/1" is not a link, such as eth0',
      '4:13: rules.0.link: "eth*" is not a link, such as eth0',
    ],
  },
  {
    name: 'a match that is more than a match',
    text: `
rules:
  - { nft: "ct state new; accept", service: main }
  - { nft: "} chain x {", service: main }
  - { nft: "", service: main }
`,
    problems: [
      '3:12: rules.0.nft: "ct state new; accept" is not an nftables match on one line, without ; and #',
      '4:12: rules.1.nft: "} chain x {" is not an nftables match on one line, without ; and #',
      '5:12: rules.2.nft: "" is not an nftables match on one line, without ; and #',
    ],
  },
  {
    name: 'two rules with one name',
    text: `
rules:
  - { name: a, dport: 80, service: main }
  - { name: a, dport: 81, service: main }
`,
    problems: ['4:13: rules.1.name: the name "a" is also that of rules.0 (line 3)'],
  },
  {
    name: 'rules that no packet can match',
    text: `
rules:
  - { from: 10.0.0.0/8, to: 2001:db8::/32, service: main }
  - { from: 2001:db8::/32, proto: icmp, service: main }
  - { to: "@v4", proto: icmpv6, service: main }
  - { proto: [tcp, icmp], dport: 80, service: main }
sets: { v4: { prefixes: [10.0.0.0/8] } }
`,
    problems: [
      '3:5: rules.0: can never match: from is IPv4, to is IPv6',
      '4:5: rules.1: can never match: from is IPv6, proto is IPv4',
      '5:5: rules.2: can never match: to is IPv4, proto is IPv6',
      '6:34: rules.3.dport: protocol icmp has no ports; make two rules of it',
    ],
  },
  {
    name: 'rules that come too late',
    text: `
rules:
  - { from: 10.0.0.0/8, proto: tcp, dport: 1-1023, service: main }
  - { from: 10.1.0.0/16, proto: tcp, dport: [80, 443], service: main }
  - { from: 10.1.0.0/16, proto: [tcp, udp], dport: 80, service: main }
`,
    problems: [
      '4:5: rules.1: can never match: the rule on line 3 takes all that it would; delete it, or put it before line 3',
    ],
  },
  {
    name: 'sets',
    text: `
sets:
  a: { file: gone.txt }
  b: { domains: ["*.example.com", localhost, 192.0.2.1], prefixes: 10.0.0.0/8 }
  c: { prefixes: [] }
`,
    problems: [
      "3:14: sets.a.file: can't read /etc/lvsj/gone.txt: ENOENT: no such file or directory; one prefix a line, # comments",
      '4:18: sets.b.domains.0: "*.example.com" is not a domain name such as example.com',
      '4:35: sets.b.domains.1: "localhost" is not a domain name such as example.com',
      '4:46: sets.b.domains.2: "192.0.2.1" is not a domain name such as example.com',
      '4:68: sets.b.prefixes: must be a list, not "10.0.0.0/8"',
    ],
  },
  {
    name: 'bounds of the whole',
    text: `
connections: 100
mark-mask: 0xff00ff
timeouts: { tcp: 0, udp: 32d }
settings: { conn_reuse_mode: 4, sloppy_tcp: yes }
`,
    problems: [
      '2:14: connections: "100" is not a whole number from 1024 to 67108864',
      '3:12: mark-mask: "0xff00ff" is not eight bits in a row, such as 0xff000000',
      '4:18: timeouts.tcp: "0" is not a time of whole seconds, from 1s to 31d',
      '4:26: timeouts.udp: "32d" is not a time of whole seconds, from 1s to 31d',
      '5:30: settings.conn_reuse_mode: "4" is not a whole number from 0 to 3',
      '5:45: settings.sloppy_tcp: "yes" is not 0 or 1',
    ],
  },
  {
    name: 'the API',
    text: `
api: { group: "a b", metrics: { listen: 9100 } }
router: x
`,
    problems: [
      '2:15: api.group: "a b" is not the name of a group',
      '2:22: api.metrics.token-file: is missing; write an absolute path',
      '2:41: api.metrics.listen: "9100" is not an address and a port such as 127.0.0.1:9100 or [::1]:9100',
      '3:9: router: there is no service "x"; known: main',
    ],
  },
  {
    name: 'what nothing leads to',
    text: `
gateways:
  a: { link: eth1 }
  b: { link: eth2 }
services:
  web: { fwmark: 1, gateways: { a: 1 } }
  vpn: { fwmark: 2, gateways: { a: 1 } }
router: vpn
lan: [eth0, eth2]
`,
    problems: [
      '4:3: warning: gateways.b: no service has this gateway',
      '6:3: warning: services.web: no rule leads to this service',
      '9:13: warning: lan.1: eth2 is the link of gateway b, too; a LAN link is one that clients come in by',
    ],
  },
  {
    name: 'two monitors with one target',
    text: `
gateways:
  a: { link: eth1, monitor: { probes: [{ ping: 192.0.2.9 }] } }
  b: { link: eth2, monitor: { probes: [{ ping: 192.0.2.8 }, { dns: 192.0.2.9 }] } }
services: { web: { fwmark: 1, gateways: { a: 1, b: 1 } } }
rules: [{ service: web }]
`,
    problems: [
      '4:61: warning: gateways.b.monitor.probes.1: 192.0.2.9 is what gateway a probes, too; when it fails, both gateways seem down: give each its own',
    ],
  },
];
