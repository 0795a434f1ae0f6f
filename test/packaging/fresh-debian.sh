#!/bin/sh
# Installs build/lvsj_*.deb in a fresh Debian 12 below a folder of its own, and uses, upgrades and purges it there:
# `make test-deb` (root, network, some minutes). lintian has its say first. Its mounts are private and its network
# namespace its own, so nothing of this machine is touched.
set -eu
cd "$(dirname "$0")/../.."
deb=$(ls build/lvsj_*.deb)
mirror=${LVSJ_MIRROR:-http://deb.debian.org/debian}

root=$(mktemp -d /var/tmp/lvsj-fresh.XXXXXX)
chmod 755 "$root" # apt's own user looks at it too
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 1' INT TERM

echo "== a fresh Debian 12 in $root"
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" \
	>"$root/debootstrap.out" 2>&1 || { tail -20 "$root/debootstrap.out"; exit 1; }
# This machine's way to the mirror.
cp /etc/resolv.conf "$root/etc/"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
# Debian's own switch for "no daemons here".
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod +x "$root/usr/sbin/policy-rc.d"
cp "$deb" test/packaging/in-fresh-debian.sh "$root/root/"

# The way out to the mirror, for apt alone.
exec 9</proc/self/ns/net
unshare --mount --net --propagation private sh -euc '
	mount --rbind /proc "$1/proc"
	mount -t sysfs sysfs "$1/sys" # of the new network namespace
	mount --rbind /dev "$1/dev"
	mount -t tmpfs tmpfs "$1/run"
	nsenter --net=/proc/self/fd/9 chroot "$1" apt-get -q update >/dev/null
	exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb DEBIAN_FRONTEND=noninteractive \
		sh -eu /root/in-fresh-debian.sh
' sh "$root"
