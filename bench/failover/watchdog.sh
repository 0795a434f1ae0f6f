#!/bin/bash
# Two uplinks as people write it: every other new connection gets the other mark, which conntrack keeps,
# and a rule leads each mark to its link's table. A ping every 5 s by each link; three lost in a row, and
# the link gets no new connection and its old ones are forgotten; three answered, and it is back.
# Called with LINK,ADDRESS,GATEWAY of each; says `LINK down` and `LINK up`.

interval=5
rounds=3
target=198.51.100.10

declare -a links addresses states counts
for word in "$@"; do
	IFS=, read -r link address gateway <<< "$word"
	links+=("$link")
	addresses+=("$address")
	states+=(up)
	counts+=(0)
	mark=${#links[@]}
	sysctl -qw "net.ipv4.conf.$link.rp_filter=0"
	ip route add default via "$gateway" dev "$link" table $((100 + mark))
	ip rule add fwmark "$mark" table $((100 + mark)) pref $((1000 + mark))
	ip rule add from "$address" table $((100 + mark)) pref $((2000 + mark))
done
sysctl -qw net.ipv4.conf.all.rp_filter=0

iptables -t mangle -N SHARE
iptables -t mangle -A PREROUTING -i eth0 -j CONNMARK --restore-mark
iptables -t mangle -A PREROUTING -i eth0 -m mark --mark 0 -j SHARE
iptables -t mangle -A PREROUTING -i eth0 -j CONNMARK --save-mark
iptables -t nat -A POSTROUTING ! -o eth0 -j MASQUERADE

# Shares new connections out among the links that are up.
share() {
	local -a up=()
	local i
	for i in "${!links[@]}"; do [ "${states[i]}" = up ] && up+=($((i + 1))); done
	{
		echo '*mangle'
		echo '-F SHARE'
		for ((i = 0; i < ${#up[@]}; i++)); do
			echo "-A SHARE -m mark --mark 0 -m statistic --mode nth --every $((${#up[@]} - i)) --packet 0 -j MARK --set-mark ${up[i]}"
		done
		echo COMMIT
	} | iptables-restore --noflush
}

# One round of one link: 0 if it has another state now.
look() {
	local i=$1 found=down
	ping -q -c 1 -W 2 -I "${addresses[i]}" "$target" > /dev/null 2>&1 && found=up
	if [ "$found" = "${states[i]}" ]; then
		counts[i]=0
		return 1
	fi
	((++counts[i] < rounds)) && return 1
	counts[i]=0
	states[i]=$found
}

share
echo ready
while sleep "$interval"; do
	for i in "${!links[@]}"; do
		look "$i" || continue
		share
		[ "${states[i]}" = down ] && conntrack -D -m $((i + 1)) > /dev/null 2>&1
		echo "${links[i]} ${states[i]}"
	done
done
