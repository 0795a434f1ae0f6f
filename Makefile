# Everything that is done with this repository, one target each; CI runs the same ones.

MACHINE := $(shell uname -m)
# The kernel's name for the architecture, which libbpf's headers ask for.
BPF_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(MACHINE)))
# mcpu v3 (32-bit jumps) is what every kernel from 5.1 on takes; asm/types.h lies in the architecture's own folder.
BPF_FLAGS := -g -O2 -mcpu=v3 -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -I/usr/include/$(MACHINE)-linux-gnu -Wall -Werror
# The object is the same whatever folder the checkout lies in.
BPF_FLAGS += -ffile-compilation-dir=.

BENCH_OBJECTS = build/bench/drive.o build/bench/path.o

C_FILES = $(wildcard bpf/*.[ch] bench/*.[ch]) $(shell find test -name '*.[ch]' 2>/dev/null)

# The checkout's own node, tsc and biome come before the machine's.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
# Tests start a thousand programs: with stripped and compiled code kept, a start costs half as much.
export NODE_COMPILE_CACHE := $(CURDIR)/.cache/node

# The rungs of `test` run one after the other, and a half-written file never counts as made.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help demo test test-unit test-bpf test-netns soak bench bench-vm test-vm check generate build setup deb test-deb clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build ## show the director at work in a lab of network namespaces (root)
	./lvsj lab demo

test: test-unit test-bpf test-netns ## run every test, from the quickest rung up (root)

test-unit: build ## run the tests that need no root
	@# Man pages are made and read, and Tab is pressed.
	@scripts/setup.sh bash-completion go-md2man man-db
	node --test 'src/**/*.test.ts' 'scripts/**/*.test.ts' 'bench/**/*.test.ts' 'test/*.test.ts' 'test/host/**/*.test.ts' 'test/packaging/**/*.test.ts'

test-bpf: build build/bench/drive.o ## run packets through the programs on this kernel (root)
	@$(call need_root,$@)
	@# Each file has a namespace of its own, and most of its time is the kernel's waiting for all packets.
	node --test --test-concurrency=3 'test/bpf/**/*.test.ts'

test-netns: build ## run real traffic through network namespaces (root)
	@$(call need_root,$@)
	@# No demo should bring these along: a daemon to drive the director, the /etc/protocols that its pings need,
	@# and a DHCP server and client for lines whose addresses change.
	@scripts/setup.sh ldirectord netbase dnsmasq-base udhcpc ethtool
	@# Each file has labs of its own, and most of its time is the kernel's and the clients' waiting.
	node --test --test-concurrency=3 'test/netns/**/*.test.ts'

soak: build ## run the fast path for minutes through all that befalls a router (root; not part of test)
	@$(call need_root,$@)
	@scripts/setup.sh netbase dnsmasq-base ethtool
	node --test 'test/soak/**/*.test.ts'

bench: build $(BENCH_OBJECTS) ## measure costs per packet and per connection, and how long faults are noticed (root)
	@$(call need_root,$@)
	@# A name server, to be lost, and what switches offloads off.
	@scripts/setup.sh dnsmasq-base ethtool
	node bench/main.ts

VM_PACKAGES = qemu-system-x86 seabios busybox-static cpio

bench-vm: build build/bench/path.o ## count a packet's instructions on Debian's own kernel, in a virtual machine (root)
	@$(call need_root,$@)
	@scripts/setup.sh $(VM_PACKAGES) ipvsadm
	node bench/vm/main.ts

FILES = test/bpf/**/*.test.ts test/netns/**/*.test.ts

test-vm: build build/bench/drive.o ## run tests on Debian's own kernel, in a virtual machine; FILES='…' for some (root)
	@$(call need_root,$@)
	@scripts/setup.sh $(VM_PACKAGES) ldirectord netbase dnsmasq-base udhcpc ethtool
	node test/vm/main.ts $(foreach file,$(FILES),'$(file)')

check: build build/abi.gen.ts ## lint, format, types, and the generated ABI
	biome ci --colors=off --error-on-warnings .
	tsc
	clang-format --dry-run -Werror $(C_FILES)
	@diff -u src/kernel/abi.gen.ts build/abi.gen.ts || { echo 'src/kernel/abi.gen.ts is stale: run make generate' >&2; exit 1; }

generate: setup build/abi.gen.ts ## write what follows from the sources: the ABI, the API's document, the JSON Schema
	@# A rename, so that whoever runs lvsj meanwhile reads the old file or the new one.
	@cp build/abi.gen.ts src/kernel/abi.gen.ts.new
	mv src/kernel/abi.gen.ts.new src/kernel/abi.gen.ts
	node scripts/gen-openapi.ts > build/openapi.json
	cp build/openapi.json docs/openapi.json
	node scripts/gen-schema.ts > build/lvsj.schema.json
	cp build/lvsj.schema.json docs/lvsj.schema.json

build: setup build/director.o ## install what is missing and compile the eBPF programs

setup: ## install missing Debian packages (root) and npm packages
	@scripts/setup.sh

deb: build ## make a Debian package of this checkout
	@scripts/setup.sh binutils dpkg go-md2man
	node scripts/deb/main.ts

test-deb: deb ## try the package in a fresh Debian 12 (root; not part of test, it takes minutes)
	@$(call need_root,$@)
	@scripts/setup.sh debootstrap
	test/packaging/fresh-debian.sh

clean: ## delete what build made
	rm -rf build .cache

# llvm-strip -g takes DWARF away and leaves BTF. The order-only setup runs first and forces no compilation.
build/director.o: bpf/director.bpf.c | setup
	@mkdir -p build
	clang $(BPF_FLAGS) -MMD -MP -MT $@ -MF build/director.d -c $< -o $@
	llvm-strip -g $@

build/bench/%.o: bench/%.bpf.c | setup
	@mkdir -p build/bench
	clang $(BPF_FLAGS) -MMD -MP -MT $@ -MF build/bench/$*.d -c $< -o $@
	llvm-strip -g $@

# In two steps: sh does not notice when the first command of a pipe fails.
build/abi.gen.ts: build/director.o $(wildcard scripts/gen-abi*.ts)
	bpftool -j btf dump file build/director.o format raw > build/btf.json
	node scripts/gen-abi.ts < build/btf.json > $@

need_root = [ "$$(id -u)" = 0 ] || { echo '$(1) skipped: it needs root (network namespaces, BPF)' >&2; exit 1; }

-include build/director.d $(BENCH_OBJECTS:.o=.d)
