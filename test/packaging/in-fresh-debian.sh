#!/bin/sh
# The part of fresh-debian.sh that runs inside, in a network namespace of its own; apt alone is let out of it, by descriptor 9.
deb=$(ls /root/lvsj_*.deb)

apt() {
	nsenter --net=/proc/self/fd/9 apt-get -q -y --no-install-recommends "$@" >/root/apt.log 2>&1 && return
	cat /root/apt.log
	exit 1
}

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

apt install bash-completion lintian man-db systemd

echo '== lintian'
lintian --fail-on error,warning "$deb" 2>/root/lintian.log || { cat /root/lintian.log; fail lintian; }

echo '== apt install'
apt install "$deb"
[ "$(readlink -f /usr/bin/lvsj)" = /usr/lib/lvsj/lvsj ] || fail 'no /usr/bin/lvsj'
[ -L /etc/systemd/system/multi-user.target.wants/lvsj.service ] || fail 'lvsj.service is not enabled'
lvsj status && fail 'a director runs: nobody started one' || [ $? = 1 ] || fail 'lvsj status does not say that none runs'
cd /usr/lib/lvsj
node_modules/.bin/node -e '
	const { dependencies } = JSON.parse(require("fs").readFileSync("package.json"));
	Promise.all(Object.keys(dependencies).map((name) => import(name)));
' || fail 'a package that lvsj needs is not whole'
cd /

echo '== unit, man pages, completion'
systemd-analyze verify /lib/systemd/system/lvsj.service 2>&1 | grep lvsj && fail 'systemd-analyze has complaints'
for page in lvsj lvsj.yaml; do man "$page" >/dev/null || fail "man $page"; done
bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader lvsj; complete -p lvsj' >/dev/null || fail completion

echo '== the life of a director'
ip link set lo up
ip link add eth1 type veth peer name peer1
ip address add 192.0.2.2/24 dev eth1
ip link set eth1 up
ip link set peer1 up
lvsj start
lvsj ipvsadm -A -f 1 -s wlc
lvsj ipvsadm -a -f 1 -r 192.0.2.1 -j -w 3
before=$(lvsj ipvsadm -Ln)
apt install --reinstall "$deb"
[ "$(lvsj ipvsadm -Ln)" = "$before" ] || fail 'an upgrade changed the director'

echo '== another ABI is refused'
abi=/usr/lib/lvsj/src/kernel/abi.gen.ts
cp $abi /root/abi
sed -i 's/ABI_VERSION: [0-9]*/ABI_VERSION: 0/' $abi
dpkg -i "$deb" >/root/dpkg.log 2>&1 && fail 'it was installed over a director of another ABI'
grep -q 'speaks ABI 0' /root/dpkg.log || fail "$(cat /root/dpkg.log)"
cp /root/abi $abi
[ "$(lvsj ipvsadm -Ln)" = "$before" ] || fail 'a refused upgrade changed the director'

echo '== stop, purge'
lvsj stop
[ "$(nft list ruleset)" = '' ] || fail 'stop left nftables rules'
apt purge lvsj
for left in /usr/bin/lvsj /usr/lib/lvsj /etc/lvsj /var/cache/lvsj /lib/systemd/system/lvsj.service \
	/etc/systemd/system/multi-user.target.wants/lvsj.service; do
	! [ -e $left ] && ! [ -L $left ] || fail "purge left $left"
done
echo "$(basename "$deb") installs, works, upgrades and goes"
