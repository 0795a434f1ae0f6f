// Bytes of a map's key or value <-> plain object, by the generated layouts of abi.gen.ts.

import { layouts } from './abi.gen.ts';

/** One field of a C struct. kind: a scalar, `text`, `SCALAR[]`, or another layout's name. */
export interface FieldLayout {
  name: string;
  offset: number;
  kind: string;
  count?: number;
}

/** A C struct; T is the object that it decodes to. */
export interface Layout<T> {
  size: number;
  fields: FieldLayout[];
  /** Never there: it only ties the layout to its object's type. */
  type?: T;
}

export type Layouts = Record<string, Layout<unknown>>;

interface Scalar {
  size: number;
  read: (bytes: Buffer, offset: number) => number | bigint;
  write: (bytes: Buffer, offset: number, value: number | bigint) => void;
}

const scalars: Record<string, Scalar> = {
  u8: { size: 1, read: (b, o) => b.readUInt8(o), write: (b, o, v) => b.writeUInt8(Number(v), o) },
  u16: {
    size: 2,
    read: (b, o) => b.readUInt16LE(o),
    write: (b, o, v) => b.writeUInt16LE(Number(v), o),
  },
  u32: {
    size: 4,
    read: (b, o) => b.readUInt32LE(o),
    write: (b, o, v) => b.writeUInt32LE(Number(v), o),
  },
  u64: {
    size: 8,
    read: (b, o) => b.readBigUInt64LE(o),
    write: (b, o, v) => b.writeBigUInt64LE(BigInt(v), o),
  },
  be16: {
    size: 2,
    read: (b, o) => b.readUInt16BE(o),
    write: (b, o, v) => b.writeUInt16BE(Number(v), o),
  },
  be32: {
    size: 4,
    read: (b, o) => b.readUInt32BE(o),
    write: (b, o, v) => b.writeUInt32BE(Number(v), o),
  },
};

function readField(bytes: Buffer, offset: number, field: FieldLayout): unknown {
  const at = offset + field.offset;
  const count = field.count ?? 0;
  if (field.kind === 'text') {
    const text = bytes.subarray(at, at + count);
    const end = text.indexOf(0);
    return text.toString('utf8', 0, end < 0 ? count : end);
  }
  const scalar = scalars[field.kind.replace('[]', '')];
  if (!scalar) return decode(layoutOf(field.kind), bytes, at);
  if (!field.kind.endsWith('[]')) return scalar.read(bytes, at);
  return Array.from({ length: count }, (_, i) => scalar.read(bytes, at + i * scalar.size));
}

function writeField(bytes: Buffer, offset: number, field: FieldLayout, value: unknown): void {
  const at = offset + field.offset;
  const count = field.count ?? 0;
  if (field.kind === 'text') {
    // One byte less: C wants the NUL.
    bytes.write(value as string, at, count - 1, 'utf8');
    return;
  }
  const scalar = scalars[field.kind.replace('[]', '')];
  if (!scalar) {
    encodeInto(layoutOf(field.kind), value as object, bytes, at);
  } else if (field.kind.endsWith('[]')) {
    for (const [i, item] of (value as number[]).slice(0, count).entries())
      scalar.write(bytes, at + i * scalar.size, item);
  } else {
    scalar.write(bytes, at, value as number | bigint);
  }
}

function layoutOf(name: string): Layout<object> {
  const layout = layouts[name];
  if (!layout) throw new Error(`codec: no layout "${name}" in abi.gen.ts`);
  return layout as Layout<object>;
}

/** The object at `offset` of `bytes`. */
export function decode<T>(layout: Layout<T>, bytes: Buffer, offset = 0): T {
  const result: Record<string, unknown> = {};
  for (const field of layout.fields) result[field.name] = readField(bytes, offset, field);
  return result as T;
}

function encodeInto<T extends object>(
  layout: Layout<T>,
  value: T,
  bytes: Buffer,
  offset: number,
): void {
  for (const field of layout.fields)
    writeField(bytes, offset, field, (value as Record<string, unknown>)[field.name]);
}

/** The bytes of `value`, padding zero. */
export function encode<T extends object>(layout: Layout<T>, value: T): Buffer {
  const bytes = Buffer.alloc(layout.size);
  encodeInto(layout, value, bytes, 0);
  return bytes;
}
