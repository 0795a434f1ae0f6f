// The functions of libbpf.so.1 and libc that we call, by koffi; the only file that knows both.
// libbpf 1.x returns -errno; functions that return a pointer return null and set errno.

import { getSystemErrorMessage } from 'node:util';
import koffi from 'koffi';
import { UserError } from '../util/error.ts';

/** An opaque C pointer. */
export type Pointer = unknown;

/** struct bpf_test_run_opts of <bpf/bpf.h>. */
export interface TestRunOpts {
  sz: number;
  data_in: Buffer | null;
  data_out: Buffer | null;
  data_size_in: number;
  data_size_out: number;
  ctx_in: Buffer | null;
  ctx_out: Buffer | null;
  ctx_size_in: number;
  ctx_size_out: number;
  retval: number;
  repeat: number;
  duration: number;
  flags: number;
  cpu: number;
  batch_size: number;
}

/** struct bpf_tc_hook of <bpf/libbpf.h>. */
export interface TcHook {
  sz: number;
  ifindex: number;
  attach_point: number;
  parent: number;
}

/** struct bpf_tc_opts of <bpf/libbpf.h>. */
export interface TcOpts {
  sz: number;
  prog_fd: number;
  flags: number;
  prog_id: number;
  handle: number;
  priority: number;
}

/** What is asked of the kernel when an object is opened: where the verifier's log goes. */
export interface OpenOpts {
  sz: number;
  object_name: null;
  relaxed_maps: boolean;
  pin_root_path: null;
  unused: number;
  kconfig: null;
  btf_custom_path: null;
  kernel_log_buf: Buffer;
  kernel_log_size: number;
  kernel_log_level: number;
}

const structs = {
  testRun: koffi.struct('bpf_test_run_opts', {
    sz: 'size_t',
    data_in: 'void *',
    data_out: 'void *',
    data_size_in: 'uint32',
    data_size_out: 'uint32',
    ctx_in: 'void *',
    ctx_out: 'void *',
    ctx_size_in: 'uint32',
    ctx_size_out: 'uint32',
    retval: 'uint32',
    repeat: 'int',
    duration: 'uint32',
    flags: 'uint32',
    cpu: 'uint32',
    batch_size: 'uint32',
  }),
  tcHook: koffi.struct('bpf_tc_hook', {
    sz: 'size_t',
    ifindex: 'int',
    attach_point: 'int',
    parent: 'uint32',
  }),
  tcOpts: koffi.struct('bpf_tc_opts', {
    sz: 'size_t',
    prog_fd: 'int',
    flags: 'uint32',
    prog_id: 'uint32',
    handle: 'uint32',
    priority: 'uint32',
  }),
  open: koffi.struct('bpf_object_open_opts', {
    sz: 'size_t',
    object_name: 'const char *',
    relaxed_maps: 'bool',
    pin_root_path: 'const char *',
    unused: 'uint32',
    kconfig: 'const char *',
    btf_custom_path: 'const char *',
    kernel_log_buf: 'void *',
    kernel_log_size: 'size_t',
    kernel_log_level: 'uint32',
  }),
};

export const structSize = {
  testRun: koffi.sizeof(structs.testRun),
  tcHook: koffi.sizeof(structs.tcHook),
  tcOpts: koffi.sizeof(structs.tcOpts),
  open: koffi.sizeof(structs.open),
};

function loadLibrary(name: string, debianPackage: string): ReturnType<typeof koffi.load> {
  try {
    return koffi.load(name);
  } catch {
    throw new UserError(
      `${name} is missing: install Debian's ${debianPackage} (or run make setup)`,
    );
  }
}

const bpf = loadLibrary('libbpf.so.1', 'libbpf1');
const c = loadLibrary('libc.so.6', 'libc6');

// Its own messages say less than ours and go to stderr unasked.
bpf.func('void *libbpf_set_print(void *fn)')(null);

type Fn<A extends unknown[], R> = (...args: A) => R;

export const objectOpen: Fn<[string, OpenOpts], Pointer | null> = bpf.func(
  'void *bpf_object__open_file(const char *path, const bpf_object_open_opts *opts)',
);
export const objectLoad: Fn<[Pointer], number> = bpf.func('int bpf_object__load(void *object)');
export const objectClose: Fn<[Pointer], void> = bpf.func('void bpf_object__close(void *object)');
export const objectMap: Fn<[Pointer, string], Pointer | null> = bpf.func(
  'void *bpf_object__find_map_by_name(void *object, const char *name)',
);
export const objectProgram: Fn<[Pointer, string], Pointer | null> = bpf.func(
  'void *bpf_object__find_program_by_name(void *object, const char *name)',
);
export const mapReuseFd: Fn<[Pointer, number], number> = bpf.func(
  'int bpf_map__reuse_fd(void *map, int fd)',
);
export const mapInner: Fn<[Pointer], Pointer | null> = bpf.func(
  'void *bpf_map__inner_map(void *map)',
);
export const mapTypeOf: Fn<[Pointer], number> = bpf.func('int bpf_map__type(void *map)');
export const mapKeySizeOf: Fn<[Pointer], number> = bpf.func('uint32 bpf_map__key_size(void *map)');
export const mapValueSizeOf: Fn<[Pointer], number> = bpf.func(
  'uint32 bpf_map__value_size(void *map)',
);
export const mapFdOf: Fn<[Pointer], number> = bpf.func('int bpf_map__fd(void *map)');
export const programFdOf: Fn<[Pointer], number> = bpf.func('int bpf_program__fd(void *program)');
export const mapCreate: Fn<[number, string, number, number, number, Buffer], number> = bpf.func(
  'int bpf_map_create(int type, const char *name, uint32 key, uint32 value, uint32 max, void *opts)',
);
export const mapLookup: Fn<[number, Buffer, Buffer], number> = bpf.func(
  'int bpf_map_lookup_elem(int fd, void *key, void *value)',
);
export const mapUpdate: Fn<[number, Buffer, Buffer, number], number> = bpf.func(
  'int bpf_map_update_elem(int fd, void *key, void *value, uint64 flags)',
);
export const mapDelete: Fn<[number, Buffer], number> = bpf.func(
  'int bpf_map_delete_elem(int fd, void *key)',
);
export const mapNextKey: Fn<[number, Buffer | null, Buffer], number> = bpf.func(
  'int bpf_map_get_next_key(int fd, void *key, void *next)',
);
export const mapLookupBatch: Fn<
  [number, Buffer | null, Buffer, Buffer, Buffer, Buffer, null],
  number
> = bpf.func(
  'int bpf_map_lookup_batch(int fd, void *in, void *out, void *keys, void *values, void *count, void *opts)',
);
export const mapUpdateBatch: Fn<[number, Buffer, Buffer, Buffer, null], number> = bpf.func(
  'int bpf_map_update_batch(int fd, void *keys, void *values, void *count, void *opts)',
);
export const mapDeleteBatch: Fn<[number, Buffer, Buffer, null], number> = bpf.func(
  'int bpf_map_delete_batch(int fd, void *keys, void *count, void *opts)',
);
export const programFdById: Fn<[number], number> = bpf.func('int bpf_prog_get_fd_by_id(uint32 id)');
export const programNextId: Fn<[number, Buffer], number> = bpf.func(
  'int bpf_prog_get_next_id(uint32 start, void *next)',
);
export const mapFdById: Fn<[number], number> = bpf.func('int bpf_map_get_fd_by_id(uint32 id)');
export const infoByFd: Fn<[number, Buffer, Buffer], number> = bpf.func(
  'int bpf_obj_get_info_by_fd(int fd, void *info, void *length)',
);
export const programBindMap: Fn<[number, number, null], number> = bpf.func(
  'int bpf_prog_bind_map(int program, int map, void *opts)',
);
export const testRun: Fn<[number, TestRunOpts], number> = bpf.func(
  'int bpf_prog_test_run_opts(int fd, _Inout_ bpf_test_run_opts *opts)',
);
export const tcHookCreate: Fn<[TcHook], number> = bpf.func(
  'int bpf_tc_hook_create(bpf_tc_hook *hook)',
);
export const tcAttach: Fn<[TcHook, TcOpts], number> = bpf.func(
  'int bpf_tc_attach(const bpf_tc_hook *hook, _Inout_ bpf_tc_opts *opts)',
);
export const tcDetach: Fn<[TcHook, TcOpts], number> = bpf.func(
  'int bpf_tc_detach(const bpf_tc_hook *hook, const bpf_tc_opts *opts)',
);
export const possibleCpus: Fn<[], number> = bpf.func('int libbpf_num_possible_cpus()');

export const closeFd: Fn<[number], number> = c.func('int close(int fd)');
export const flock: Fn<[number, number], number> = c.func('int flock(int fd, int operation)');
export const socket: Fn<[number, number, number], number> = c.func(
  'int socket(int domain, int type, int protocol)',
);
export const bind: Fn<[number, Buffer, number], number> = c.func(
  'int bind(int fd, const void *address, uint32 length)',
);
/** Of requests with a struct that the kernel fills in. */
export const ioctl: Fn<[number, number, Buffer], number> = c.func(
  'int ioctl(int fd, ulong request, void *struct_)',
);
export const setSocketOption: Fn<[number, number, number, Buffer, number], number> = c.func(
  'int setsockopt(int fd, int level, int name, const void *value, uint32 length)',
);
export const send: Fn<[number, Buffer, number, number], number> = c.func(
  'long send(int fd, const void *bytes, size_t length, int flags)',
);
export const sendTo: Fn<[number, Buffer, number, number, Buffer, number], number> = c.func(
  'long sendto(int fd, const void *bytes, size_t length, int flags, const void *address, uint32 address_length)',
);
export const receive: Fn<[number, Buffer, number, number], number> = c.func(
  'long recv(int fd, _Out_ void *bytes, size_t length, int flags)',
);
export const receiveFrom: Fn<[number, Buffer, number, number, Buffer, Buffer], number> = c.func(
  'long recvfrom(int fd, _Out_ void *bytes, size_t length, int flags, _Out_ void *address, void *address_length)',
);

export const adjtimex: Fn<[Buffer], number> = c.func('int adjtimex(void *timex)');
export const interfaceIndex: Fn<[string], number> = c.func(
  'uint32 if_nametoindex(const char *name)',
);
export const tcQuery: Fn<[TcHook, TcOpts], number> = bpf.func(
  'int bpf_tc_query(const bpf_tc_hook *hook, _Inout_ bpf_tc_opts *opts)',
);

/** Where a buffer's bytes lie, for structs that we fill by hand; it must be kept referenced. */
export const addressOf = (buffer: Buffer): bigint => koffi.address(buffer);

/** The C library's errno after a call that failed with a null pointer or -1. */
export const errno = (): number => koffi.errno();

/** "Operation not permitted" for 1, -1. */
export const errorText = (error: number): string => getSystemErrorMessage(-Math.abs(error));

/** Turns a libbpf result < 0 into an error that says what was tried; else returns it. */
export function check(result: number, tried: string): number {
  if (result < 0) throw new UserError(`${tried}: ${errorText(result)}`);
  return result;
}
