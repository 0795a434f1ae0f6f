// `-h` and `-v`.

import { schedulers } from '../model/scheduler.ts';

const version = 'lvsj ipvsadm v1.31 (the commands of ipvsadm v1.31, IPVS v1.2.1)\n';

const text = `Usage: lvsj ipvsadm COMMAND [OPTION]...

Balances marked outgoing traffic over gateways. SERVICE is -f FWMARK [-6], the mark that iptables
or nft gives to packets; GATEWAY is a next hop: 192.0.2.1, 2001:db8::1, fe80::1%LINK.

Services:
  -A, --add-service     SERVICE [-s SCHEDULER] [-b FLAGS] [-p [SECONDS]] [-M NETMASK]
                        [--pe KEY] [-o]
  -E, --edit-service    the same; an option that is left out goes back to its default
  -D, --delete-service  SERVICE
  -C, --clear           delete all services

Gateways of a service:
  -a, --add-server      SERVICE -r GATEWAY [-j] [-w WEIGHT] [-x UPPER] [-y LOWER]
  -e, --edit-server     the same; an option that is left out goes back to its default
  -d, --delete-server   SERVICE -r GATEWAY

Looking:
  -L, -l, --list        [SERVICE] [-n] [-X] [--nosort] services and gateways, also with one of
                        --stats --rate --thresholds --persistent-conn --tun-info
  -L -c                 [-n] [--persistent-conn] connections
  -L --timeout          timeouts of connections
  -L --daemon           nothing: there is no sync daemon
  -S, --save            [-n] services and gateways as commands, on standard output
  -h, --help            this text
  -v, --version         the version

Other commands:
  -R, --restore         run the commands on standard input, one a line
  -Z, --zero            [SERVICE] zero the counters of a service, or all
  --set TCP TCPFIN UDP  timeouts of connections in seconds; 0 leaves one as it is

Options:
  -f, --fwmark-service FWMARK  the mark of the packets, a decimal number
  -6, --ipv6                   the service balances IPv6; stands behind -f
  -s, --scheduler SCHEDULER    one of ${[...schedulers.keys()].join('|')} (wlc)
  -b, --sched-flags FLAGS      flags of the scheduler, with commas: sh-fallback,sh-port,
                               mh-fallback,mh-port
  -p, --persistent [SECONDS]   a client keeps its gateway so long after its newest connection (360)
  -M, --netmask NETMASK        clients that stay together: an IPv4 mask, an IPv6 prefix length
      --pe KEY                 what stays together under -p: destination (a server's clients),
                               source-destination; without it source, a client
  -o, --ops                    UDP: each marked packet is scheduled for itself; not behind SNAT
  -r, --real-server GATEWAY    a gateway of the service
  -j, --reinject               reinject packets with the gateway chosen (always)
  -w, --weight WEIGHT          the gateway's share; 0 drains it (1)
  -x, --u-threshold UPPER      no new connections from so many on; 0 is no limit (0)
  -y, --l-threshold LOWER      new connections again below so many (0)
  -n, --numeric                numbers, not names
  -c, --connection             list connections
      --timeout                list timeouts
      --daemon                 list sync daemons
      --stats                  list totals of connections, packets and bytes
      --rate                   list the same per second
      --thresholds             list thresholds
      --persistent-conn        list how many clients stay on each gateway
      --tun-info               list tunnels, with a column that is always empty
  -X, --exact                  print counters in full
      --nosort                 in the schedulers' order, the newest gateway first
      --sort                   sorted, as it is anyway

Environment:
  LVSJ_FORWARD=Route           -g and Route stand for -j and ReInj, as programs for IPVS expect
`;

export const formatVersion = (): string => version;

export const formatHelp = (): string => version + text;
