# shellcheck shell=bash
# Sourced by guest.sh: the ways to share packets out, each a few lines of the director's configuration.

clean() {
	$director nft flush ruleset
	$director ipvsadm -C
	while ip -n director rule del fwmark 1 2>/dev/null; do :; done
	while ip -n director rule del fwmark 2 2>/dev/null; do :; done
	ip -n director route flush table 100 2>/dev/null || true
	ip -n director route replace default via 10.0.21.2
	$director conntrack -F >/dev/null 2>&1 || true
}

nft() { $director nft -f -; }

masquerade() {
	nft <<-'END'
	table ip nat {
	 chain postrouting {
	  type nat hook postrouting priority srcnat
	  oifname { "e1", "e2" } masquerade
	 }
	}
	END
}

mark_rules() { for uplink in 1 2; do ip -n director rule add fwmark $uplink lookup 20$uplink; done; }

numgen() { # uplinks
	nft <<-END
	table ip balance {
	 chain prerouting {
	  type filter hook prerouting priority mangle
	  iifname "d0" ct mark 0 ct mark set numgen inc mod $1 offset 1
	  iifname "d0" meta mark set ct mark
	 }
	}
	END
}

statistic() {
	$director iptables-restore <<-'END'
	*mangle
	:new - [0:0]
	-A PREROUTING -i d0 -j CONNMARK --restore-mark
	-A PREROUTING -i d0 -m mark --mark 0 -j new
	-A new -m statistic --mode nth --every 2 --packet 0 -j MARK --set-mark 1
	-A new -m mark --mark 0 -j MARK --set-mark 2
	-A new -j CONNMARK --save-mark
	COMMIT
	*nat
	-A POSTROUTING -o e1 -j MASQUERADE
	-A POSTROUTING -o e2 -j MASQUERADE
	COMMIT
	END
}

flowtable() {
	nft <<-'END'
	table inet flows {
	 flowtable fast {
	  hook ingress priority 0; devices = { d0, e1 };
	 }
	 chain forward {
	  type filter hook forward priority 0;
	  ct state established flow add @fast
	 }
	}
	END
}

# Its connections outlive its services, and go with the module.
ipvs() {
	modprobe -r ip_vs_wlc ip_vs
	modprobe -a ip_vs ip_vs_wlc
	$director sysctl -qw net.ipv4.vs.conntrack=$1
	nft <<-'END'
	table ip service {
	 chain prerouting {
	  type filter hook prerouting priority mangle
	  iifname "d0" meta mark set 1
	 }
	}
	END
	ip -n director rule add fwmark 1 lookup 100
	ip -n director route add local 0.0.0.0/0 dev lo table 100
	$director ipvsadm -A -f 1 -s wlc
	for uplink in 1 2; do $director ipvsadm -a -f 1 -r 10.0.2$uplink.2 -g; done
}

bare_redirect() {
	local from to
	from=$($director cat /sys/class/net/d0/ifindex)
	to=$($director cat /sys/class/net/e1/ifindex)
	bpftool map update name across key "$from" 0 0 0 value "$to" 0 0 0
	sink floor_in director d0
}

ours() { # on or off, weight of the second gateway
	cat > /run/lvsj-bench.yaml <<-END
	fastpath: $1
	gateways:
	  one: { link: e1, via: 10.0.21.2, snat: masquerade }
	  two: { link: e2, via: 10.0.22.2, snat: masquerade }
	services:
	  all: { fwmark: 1, scheduler: wlc, gateways: { one: 1, two: $2 } }
	rules:
	  - { link: d0, service: all }
	END
	$director conntrack -F >/dev/null 2>&1 || true
	$director ./lvsj apply /run/lvsj-bench.yaml >&2
	[ "$1" = off ] || $director node bench/vm/guard.ts
}
