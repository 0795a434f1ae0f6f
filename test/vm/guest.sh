#!/bin/bash
# First process of the guest's own system: what a booted machine has, then the command in /share/command.
# Its output goes to the host as it comes, its exit status into /share/status.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=dumb
kernel=$(uname -r)
mkdir -p /dev/pts /dev/shm "/usr/lib/modules/$kernel"
mount -t devpts devpts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t tmpfs run /run
mkdir -p /run/netns /run/lock
mount -t cgroup2 cgroup /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs trace /sys/kernel/tracing
mount --bind "$(cat /share/modules)/$kernel" "/usr/lib/modules/$kernel"
ln -sfn /proc/self/fd /dev/fd
for stream in stdin:0 stdout:1 stderr:2; do ln -sf "/proc/self/fd/${stream#*:}" "/dev/${stream%:*}"; done
ip link set lo up
cd /
# Whom the command leaves behind may hold the pipe open: nobody waits for it.
mkfifo /run/output
cat /run/output >"$(echo /dev/vport*p1)" &
setsid bash /share/command </dev/null >/run/output 2>&1
echo $? >/share/status
sleep 0.3
sync
busybox poweroff -f
