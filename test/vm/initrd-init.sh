#!/bin/sh
# First process of the guest, from the initrd (busybox): puts a file system in memory over the host's, and goes there.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done </modules/order
mount -t tmpfs -o size=2g memory /memory
mkdir /memory/upper /memory/work
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro host /host || poweroff -f
mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work root /root
mkdir -p /root/share
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=none share /root/share
for tree in proc sys dev; do mount --move /$tree /root/$tree; done
exec switch_root /root /share/guest.sh
