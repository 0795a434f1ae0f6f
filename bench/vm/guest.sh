#!/bin/bash
# Inside the guest: a client, a director and two uplinks as network namespaces, and one way to share packets out
# after the other. Prints a line for each: name, instructions of an established flow's packet, of a flow's first.
#
#   client c0 ── d0 director e1 ── g0 gw1     the gateways answer while flows begin, then count and drop
#                            e2 ── g0 gw2
set -e
packets=10000 flows=256 first=2000 rounds='1 2 3'
client=10.0.1.2 server=203.0.113.5
first_port=1000 new_port=20000
fs=/sys/fs/bpf/path
director='ip netns exec director'
. bench/vm/ways.sh

modprobe -a pktgen ip_vs ip_vs_wlc nf_conntrack nft_ct nft_masq nft_nat nft_chain_nat nft_numgen nft_compat \
	nf_flow_table nft_flow_offload xt_mark xt_connmark xt_conntrack xt_statistic xt_MASQUERADE veth
# Else packets are lost once the kernel's own thread takes a backlog over.
sysctl -qw net.core.netdev_max_backlog=200000

make_hosts() {
	for host in client director gw1 gw2; do
		ip netns add $host
		ip -n $host link set lo up
		ip netns exec $host sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
			net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	done
	make_link client c0 10.0.1.2 director d0 10.0.1.1
	make_link director e1 10.0.21.1 gw1 g0 10.0.21.2
	make_link director e2 10.0.22.1 gw2 g0 10.0.22.2
	ip -n director route add default via 10.0.21.2
	for uplink in 1 2; do ip -n director route add default via 10.0.2$uplink.2 table 20$uplink; done
}

mac_of() { ip netns exec "$1" cat "/sys/class/net/$2/address"; }

# Nobody asks for a neighbour in the middle of a measurement.
make_link() {
	ip link add "$2" netns "$1" type veth peer name "$5" netns "$4"
	ip -n "$1" addr add "$3/24" dev "$2"
	ip -n "$4" addr add "$6/24" dev "$5"
	ip -n "$1" link set "$2" up
	ip -n "$4" link set "$5" up
	ip -n "$1" neigh replace "$6" lladdr "$(mac_of "$4" "$5")" dev "$2" nud permanent
	ip -n "$4" neigh replace "$3" lladdr "$(mac_of "$1" "$2")" dev "$5" nud permanent
}

sink() { # program, namespace, link
	nsenter "--net=/run/netns/$2" tc qdisc replace dev "$3" clsact
	nsenter "--net=/run/netns/$2" tc filter replace dev "$3" ingress prio 1 handle 1 bpf da object-pinned "$fs/$1"
}

unsink() { nsenter "--net=/run/netns/$1" tc qdisc del dev "$2" clsact; }

# Zeros the counts; 1: the gateways answer from now on.
answers() { bpftool map update name sink key 0 0 0 0 value 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 "$1" 0 0 0 0 0 0 0; }
count() { bpftool map lookup name sink key 0 0 0 0 | sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p"; }

# Sends, and prints microseconds: with this clock thousands of instructions.
send() { # namespace, link, to (MAC), packets, and what else pktgen shall know
	local namespace=$1 link=$2 to=$3 packets=$4
	shift 4
	ip netns exec "$namespace" bash -s "$link" "count $packets" 'clone_skb 0' 'pkt_size 100' 'delay 0' \
		"dst_mac $to" "$@" <<-'END'
	cd /proc/net/pktgen
	link=$1
	shift
	echo rem_device_all >kpktgend_0
	echo "add_device $link" >kpktgend_0
	for word; do echo "$word" >$link; done
	echo start >pgctrl
	sed -n 's/.*OK: \([0-9]*\).*/\1/p' $link
	END
}

send_up() { # packets, first port, ports
	send client c0 "$lan_mac" "$1" "src_min $client" "src_max $client" "dst $server" \
		"udp_src_min $2" "udp_src_max $(($2 + $3))" 'udp_dst_min 53' 'udp_dst_max 53'
}

send_down() { # packets
	send gw1 g0 "$uplink_mac" "$1" "src_min $server" "src_max $server" 'dst 10.0.21.1' \
		'udp_src_min 53' 'udp_src_max 53' "udp_dst_min $first_port" "udp_dst_max $((first_port + flows))"
}

insist() { # case, arrived, sent
	[ "$2" = "$3" ] || echo "refused: $1: of $3 packets $2 arrived"
}

# Flows are answered for longer than the two seconds after which conntrack calls them assured.
warm_up() {
	answers 1
	send_up $((2 * flows)) $first_port $flows >/dev/null
	sleep 2.5
	send_up $((3 * flows)) $first_port $flows >/dev/null
}

# All but those by which the stack proves now and then that it would do the same.
insist_fast() { # case, verdicts of a hook before, its number
	case $1 in
	*fast\ path*) ;;
	*) return ;;
	esac
	local fast=$(($(fast "$3") - $2))
	[ $fast -ge $((packets * 3 * 99 / 100)) ] || echo "refused: $1: only $fast by the fast path"
}

# Packets that took the fast path at a hook: its counter's number.
fast() { bpftool map lookup name verdicts key "$1" 0 0 0 2>/dev/null | sed -n 's/.*"value": \([0-9]*\).*/\1/p' | head -1; }

# Is this case wanted? CASES: a regular expression; all are without one.
begin() {
	case=$1
	[[ -z $CASES || $case =~ $CASES ]] || return 1
	# Rules of a director that is there are not ours to take away.
	ip -n director link show lvsj0 >/dev/null 2>&1 || clean
}

# The least of several rounds: what else the kernel does meanwhile only adds.
least() { sort -n | head -1; }

measure() {
	local up new before
	warm_up
	before=$(fast 48)
	answers 0
	up=$(for _ in $rounds; do send_up $packets $first_port $flows; done | least)
	insist "$case" "$(count arrived)" $((packets * 3))
	insist_fast "$case" "$before" 48
	answers 0
	new=$(for round in $rounds; do send_up $first $((new_port + round * first)) $first; done | least)
	insist "$case (first packets)" "$(count arrived)" $((first * 3))
	echo "case $case|$((up * 1000 / packets))|$((new * 1000 / first))"
}

measure_back() { # its flows all go by gw1
	local down before
	warm_up
	before=$(fast 98)
	answers 0
	down=$(for _ in $rounds; do send_down $packets; done | least)
	insist "$case" "$(count answered)" $((packets * 3))
	insist_fast "$case" "$before" 98
	echo "case $case, back|$((down * 1000 / packets))|"
}

bpftool prog loadall build/bench/path.o $fs
make_hosts
lan_mac=$(mac_of director d0) uplink_mac=$(mac_of director e1)
sink sink_client client c0
sink sink_isp gw1 g0
sink sink_isp gw2 g0

case='sender and sink'
sink sink_isp director d0
measure
unsink director d0
sink sink_client director e1
measure_back
unsink director e1

if begin 'bare redirect'; then
	bare_redirect
	measure
	unsink director d0
fi
if begin 'plain'; then measure; fi
if begin 'plain + masquerade'; then
	masquerade
	measure
	measure_back
fi
if begin 'multipath + masquerade'; then
	masquerade
	ip -n director route replace default nexthop via 10.0.21.2 nexthop via 10.0.22.2
	measure
fi
if begin 'flowtable + masquerade'; then
	masquerade
	flowtable
	measure
fi
if begin 'nft numgen + ct mark + rules + masquerade'; then
	masquerade
	mark_rules
	numgen 2
	measure
	$director nft delete table ip balance
	$director conntrack -F 2>/dev/null
	numgen 1
	measure_back
fi
if begin 'iptables statistic + CONNMARK + rules + MASQUERADE'; then
	mark_rules
	statistic
	measure
fi
if begin 'IPVS direct routing'; then
	ipvs 0
	measure
fi
if begin 'IPVS direct routing + masquerade'; then
	ipvs 1
	masquerade
	measure
fi
if begin 'ours'; then
	ours off 1
	measure
fi
if begin 'ours, fast path'; then
	# The director still knows the flows of the case before.
	new_port=40000
	ours on 1
	measure
	# Flows that the director does not know yet: all by gw1.
	first_port=3000
	ours on 0
	measure_back
fi
