// BTF (bpftool's JSON on stdin) -> src/kernel/abi.gen.ts: the enums and struct layouts of bpf/abi.h.
// What is exported is what struct abi_exports of bpf/exports.h holds, and what that needs.

import { readFileSync } from 'node:fs';

interface BtfMember {
  name: string;
  type_id: number;
  bits_offset: number;
}

interface BtfType {
  id: number;
  kind: string;
  name: string;
  size?: number;
  type_id?: number;
  nr_elems?: number;
  members?: BtfMember[];
  values?: { name: string; val: number }[];
}

/** A field of a layout: kind is a scalar, `text`, `bytes`, `words` or the name of another layout. */
interface Field {
  name: string;
  offset: number;
  kind: string;
  count?: number;
}

const camel = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter) => letter.toUpperCase());
const pascal = (name: string): string => camel(`_${name}`);

const scalars: Record<string, string> = {
  __u8: 'u8',
  __u16: 'u16',
  __u32: 'u32',
  __u64: 'u64',
  __be16: 'be16',
  __be32: 'be32',
};

/** TypeScript does not know of the third argument yet. */
type Reviver = (key: string, value: unknown) => unknown;

/** bpftool prints enum values from 2^31 on as 64-bit numbers, which JavaScript would round. */
function readUnsigned(key: string, value: unknown, context: { source?: string }): unknown {
  return key === 'val' && context.source !== undefined
    ? Number(BigInt.asUintN(32, BigInt(context.source)))
    : value;
}

class Btf {
  readonly types = new Map<number, BtfType>();

  constructor(text: string) {
    for (const type of (JSON.parse(text, readUnsigned as Reviver) as { types: BtfType[] }).types)
      this.types.set(type.id, type);
  }

  get(id: number | undefined): BtfType {
    const type = this.types.get(id ?? 0);
    if (!type) throw new Error(`gen-abi: BTF has no type ${id}`);
    return type;
  }

  struct(name: string): BtfType {
    for (const type of this.types.values())
      if (type.kind === 'STRUCT' && type.name === name) return type;
    throw new Error(`gen-abi: BTF has no struct ${name}`);
  }

  /** The field's layout; typedef names are what tells wire order from host order. */
  field(member: BtfMember): Field {
    const type = this.get(member.type_id);
    const base = { name: member.name, offset: member.bits_offset / 8 };
    if (type.kind === 'ARRAY') {
      const element = this.get(type.type_id);
      if (element.name === 'char') return { ...base, kind: 'text', count: type.nr_elems };
      return { ...base, kind: `${this.scalar(element)}[]`, count: type.nr_elems };
    }
    if (type.kind === 'STRUCT') return { ...base, kind: type.name };
    return { ...base, kind: this.scalar(type) };
  }

  scalar(type: BtfType): string {
    const kind = scalars[type.name];
    if (!kind) throw new Error(`gen-abi: no rule for C type "${type.name}" (${type.kind})`);
    return kind;
  }
}

function tsType(field: Field): string {
  if (field.kind === 'text') return 'string';
  if (field.kind === 'u64') return 'bigint';
  if (field.kind.endsWith('[]')) return 'number[]';
  return Object.values(scalars).includes(field.kind) ? 'number' : pascal(field.kind);
}

function formatEnum(type: BtfType): string {
  const values = (type.values ?? []).map(({ name, val }) => `  ${name}: ${val},`);
  return `export const ${camel(type.name)} = {\n${values.join('\n')}\n} as const;\n`;
}

/** The names that a nameless union gives one place are all fields of the struct; who changes one writes all. */
function membersOf(btf: Btf, type: BtfType): BtfMember[] {
  return (type.members ?? []).flatMap((member) => {
    const part = btf.get(member.type_id);
    if (part.kind !== 'UNION') return [member];
    const at = member.bits_offset;
    return membersOf(btf, part).map((each) => ({ ...each, bits_offset: each.bits_offset + at }));
  });
}

function formatStruct(btf: Btf, type: BtfType): string {
  const fields = membersOf(btf, type)
    .map((member) => btf.field(member))
    .filter((f) => f.name !== 'pad');
  const types = fields.map((field) => `  ${camel(field.name)}: ${tsType(field)};`);
  const layout = fields.map(
    ({ name, offset, kind, count }) =>
      `    { name: '${camel(name)}', offset: ${offset}, kind: '${camel(kind)}'${count === undefined ? '' : `, count: ${count}`} },`,
  );
  return [
    `export interface ${pascal(type.name)} {\n${types.join('\n')}\n}\n`,
    `export const ${camel(type.name)}Layout: Layout<${pascal(type.name)}> = {`,
    `  size: ${type.size},\n  fields: [\n${layout.join('\n')}\n  ],\n};\n`,
  ].join('\n');
}

/** Structs in the order in which they must be declared: a struct's parts come first. */
function collectStructs(btf: Btf, type: BtfType, found: BtfType[]): void {
  for (const member of type.members ?? []) {
    const part = btf.get(member.type_id);
    if (part.kind !== 'STRUCT' || found.includes(part)) continue;
    collectStructs(btf, part, found);
    found.push(part);
  }
}

function generate(btf: Btf): string {
  const root = btf.struct('abi_exports');
  const enums = (root.members ?? [])
    .map((m) => btf.get(m.type_id))
    .filter((t) => t.kind === 'ENUM');
  const structs: BtfType[] = [];
  collectStructs(btf, root, structs);
  const names = structs.map((type) => `  ${camel(type.name)}: ${camel(type.name)}Layout,`);
  return [
    '// Generated by scripts/gen-abi.ts from the BTF of bpf/abi.h (make generate). Do not edit.\n',
    "import type { Layout, Layouts } from './codec.ts';\n",
    ...enums.map(formatEnum),
    ...structs.map((type) => formatStruct(btf, type)),
    `/** By name, for fields that are structs themselves. */\nexport const layouts: Layouts = {\n${names.join('\n')}\n};\n`,
  ].join('\n');
}

process.stdout.write(generate(new Btf(readFileSync(0, 'utf8'))));
