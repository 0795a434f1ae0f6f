// How much of the stack the programs of an object need: what the verifier counts, read from their code.

import { run } from '../../src/util/run.ts';

/** Linux 6.1 rounds each frame up to so many bytes, and allows so many in a chain of calls. */
const frameUnit = 32;
export const stackLimit = 512;

interface Part {
  /** Bytes of its own frame. */
  frame: number;
  calls: Set<string>;
}

const [PSEUDO_CALL, CALL, LOAD_64, ADD, MOVE] = [1, 0x85, 0x18, 0x07, 0xbf];
const stackPointer = 10;

interface Instruction {
  bytes: Buffer;
  section: string;
  index: number;
  function: string;
  /** What the linker puts there: a function, or the section that it lies in. */
  symbol?: string;
}

function* instructions(path: string): Generator<Instruction> {
  let [section, name] = ['', ''];
  let last: Instruction | undefined;
  for (const line of run(['llvm-objdump', '-d', '-r', path]).split('\n')) {
    section = /^Disassembly of section (\S+):/.exec(line)?.[1] ?? section;
    const label = /^[0-9a-f]+ <(.+)>:$/.exec(line)?.[1];
    if (label && !label.startsWith('LBB')) name = label;
    const [, index, hex] = /^\s+(\d+):\s+((?:[0-9a-f]{2}\s){8})/.exec(line) ?? [];
    const symbol = /R_BPF\S+\s+(\S+)/.exec(line)?.[1];
    if (symbol && last) last.symbol = symbol;
    if (!hex) continue;
    if (last) yield last;
    const bytes = Buffer.from(hex.replaceAll(/\s/g, ''), 'hex');
    last = { bytes, section, index: Number(index), function: name };
  }
  if (last) yield last;
}

/** Bytes below the frame's end that an instruction touches; before: the one before it. */
function depthOf(bytes: Buffer, before: Buffer | undefined): number {
  const [code, registers] = [bytes.readUInt8(0), bytes.readUInt8(1)];
  const [to, from] = [registers & 15, registers >> 4];
  const kind = code & 7;
  const touches = kind === 1 ? from : kind === 2 || kind === 3 ? to : -1;
  if (touches === stackPointer) return -bytes.readInt16LE(2);
  const copied = before?.readUInt8(0) === MOVE && before.readUInt8(1) >> 4 === stackPointer;
  const same = copied && (before.readUInt8(1) & 15) === to;
  return code === ADD && same ? -bytes.readInt32LE(4) : 0;
}

/** The place of the function that an instruction calls, or hands on as a callback. */
function targetOf({ bytes, section, index, symbol }: Instruction): string {
  const [code, number] = [bytes.readUInt8(0), bytes.readInt32LE(4)];
  if (code === LOAD_64 && symbol) return symbol === '.text' ? `.text ${number / 8}` : symbol;
  if (code !== CALL || bytes.readUInt8(1) >> 4 !== PSEUDO_CALL) return '';
  if (symbol?.startsWith('.')) return `${symbol} ${number + 1}`;
  return symbol ?? `${section} ${index + 1 + number}`;
}

function readParts(path: string): Map<string, Part> {
  const all = [...instructions(path)];
  const parts = new Map<string, Part>();
  const names = new Map<string, string>();
  for (const [i, each] of all.entries()) {
    const part = parts.get(each.function) ?? { frame: 0, calls: new Set() };
    if (!parts.has(each.function)) names.set(`${each.section} ${each.index}`, each.function);
    parts.set(each.function, part);
    part.frame = Math.max(part.frame, depthOf(each.bytes, all[i - 1]?.bytes));
    part.calls.add(targetOf(each));
  }
  for (const part of parts.values())
    part.calls = new Set([...part.calls].map((call) => names.get(call) ?? call));
  return parts;
}

/** The longest chain of a function's calls, as `name:bytes > …`, and its bytes as an old kernel counts. */
export function deepestStacks(path: string): (name: string) => { bytes: number; chain: string } {
  const parts = readParts(path);
  const deepest = (name: string): { bytes: number; chain: string } => {
    const { frame, calls } = parts.get(name)!;
    const own = Math.max(1, Math.ceil(frame / frameUnit)) * frameUnit;
    const below = [...calls].filter((call) => parts.has(call)).map(deepest);
    const next = below.toSorted((a, b) => b.bytes - a.bytes)[0];
    const chain = `${name}:${frame}`;
    return next
      ? { bytes: own + next.bytes, chain: `${chain} > ${next.chain}` }
      : { bytes: own, chain };
  };
  return deepest;
}
