#!/bin/sh
# Installs what building, testing and the demo need, and nothing that is there already:
# Debian packages first (root, network), then the npm packages of the lock file. Arguments: packages needed beside these.
set -eu
cd "$(dirname "$0")/.."

# build: clang llvm libbpf-dev bpftool gcc libc6-dev make; run: libbpf1 nftables iptables iproute2 conntrack procps kmod fping;
# tests and demo: curl iperf3 traceroute iputils-ping tcpdump util-linux (unshare); check: clang-format
packages='clang llvm libbpf-dev libbpf1 bpftool nftables iptables iproute2 conntrack curl iperf3 traceroute
clang-format iputils-ping procps kmod util-linux tcpdump gcc libc6-dev make ca-certificates fping'
# Any npm will do, so one from elsewhere is not replaced by Debian's (which would take its node away).
command -v npm >/dev/null || packages="$packages npm"
packages="$packages $*"

missing_packages() {
	# dpkg-query fails when it knows nothing of a package: that package is missing, no error.
	installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' $packages 2>/dev/null || true)
	for package in $packages; do
		case "
$installed
" in
		*"
$package installed
"*) ;;
		*) printf '%s ' "$package" ;;
		esac
	done
}

install_packages() {
	if [ "$(id -u)" != 0 ]; then
		echo "setup needs Debian packages and is not root; run: sudo apt-get install $*" >&2
		exit 1
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt_get='apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=600'
	$apt_get update
	$apt_get install -y --no-install-recommends "$@"
}

# Debian enables and starts a daemon as it installs it. One that only a test needs is masked before.
mask_daemon() {
	ln -s /dev/null "/etc/systemd/system/$1.service" 2>/dev/null || true
}

install_npm_packages() {
	stamp=node_modules/.setup-stamp
	# Two setups at once would delete each other's node_modules.
	exec 9<package-lock.json
	flock 9
	[ "$stamp" -nt package-lock.json ] && return
	if [ -L node_modules ]; then
		echo "node_modules is a link: npm ci would empty the folder that it leads to; remove the link" >&2
		exit 1
	fi
	npm ci --no-update-notifier --loglevel=error
	# Of two packages that hold a program `node`, one for each architecture, npm 9 (Debian 12) and 10 link neither.
	for node in node_modules/node-linux-*/bin/node; do
		ln -sf "../${node#node_modules/}" node_modules/.bin/node
	done
	touch "$stamp"
}

if ! command -v dpkg-query >/dev/null; then
	echo "setup knows Debian's packages only; install these yourself: $packages" >&2
	exit 1
fi
missing=$(missing_packages)
if [ -n "$missing" ]; then
	case " $missing" in
	*' ldirectord '*) mask_daemon ldirectord ;;
	esac
	install_packages $missing
fi
install_npm_packages
