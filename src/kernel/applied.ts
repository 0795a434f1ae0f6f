// The configuration that is applied lies beside the director, in one of its maps: every tool finds it
// there, in whichever mount namespace, with or without a daemon. A reader sees the old one or the
// new one, whole; so does who comes after a writer that was killed.

import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Applied } from '../model/applied.ts';
import * as abi from './abi.gen.ts';
import { decode, encode } from './codec.ts';
import type { Director } from './director.ts';
import type { BpfMap } from './map.ts';

const partBytes = abi.appliedLimits.APPLIED_BYTES;

const keyOf = (version: number, part: number): Buffer =>
  encode(abi.appliedKeyLayout, { version, part });

const head = keyOf(0, 0);

const offsetOf = (field: string): number =>
  abi.appliedPartLayout.fields.find(({ name }) => name === field)?.offset ?? 0;
const bytesOffset = offsetOf('bytes');

/** bytes: those of this part. */
function toPart(version: number, length: number, bytes: Buffer): Buffer {
  const part = Buffer.alloc(abi.appliedPartLayout.size);
  part.writeUInt32LE(version, offsetOf('version'));
  part.writeUInt32LE(length, offsetOf('length'));
  bytes.copy(part, bytesOffset);
  return part;
}

/** Which version counts, and how long it is. */
function readHead(map: BpfMap): { version: number; length: number } | undefined {
  const part = map.get(head);
  return (
    part && {
      version: part.readUInt32LE(offsetOf('version')),
      length: part.readUInt32LE(offsetOf('length')),
    }
  );
}

const countParts = (length: number): number => Math.ceil(length / partBytes);

/** A text and its version. */
interface Text {
  version: number;
  text: Buffer;
}

/** That of the version that counts, or undefined where none does. */
function readText(map: BpfMap): Text | undefined {
  for (;;) {
    const current = readHead(map);
    if (!current) return undefined;
    const { version, length } = current;
    const parts = Array.from({ length: countParts(length) }, (_, part) =>
      map.get(keyOf(version, part))?.subarray(bytesOffset),
    );
    // A writer took this version away meanwhile: another one counts now.
    if (parts.some((part) => part === undefined)) continue;
    return { version, text: Buffer.concat(parts as Buffer[]).subarray(0, length) };
  }
}

/** What was read last: the daemon asks twice a second, and a long one takes milliseconds. */
let last: { mapId: number; version: number; applied: Applied } | undefined;

/** Undefined where only lvsj ipvsadm was used. Others hold it too: it is not to be changed. */
export function readApplied({ maps }: Director): Applied | undefined {
  const map = maps.map('applied');
  if (last?.mapId === map.info.id && last.version === readHead(map)?.version) return last.applied;
  const read = readText(map);
  if (!read) return undefined;
  const applied = JSON.parse(inflateRawSync(read.text).toString('utf8')) as Applied;
  last = { mapId: map.info.id, version: read.version, applied };
  return applied;
}

/** The caller holds the lock. */
export function writeApplied({ maps }: Director, applied: Applied): void {
  const map = maps.map('applied');
  const text = deflateRawSync(JSON.stringify(applied), { level: 1 });
  const version = (readHead(map)?.version ?? 0) + 1;
  for (let part = 0; part < countParts(text.length); part++) {
    const bytes = text.subarray(part * partBytes, (part + 1) * partBytes);
    map.set(keyOf(version, part), toPart(version, text.length, bytes));
  }
  map.set(head, toPart(version, text.length, Buffer.alloc(0)));
  // Also what a killed writer left.
  for (const key of [...map.keys()]) {
    const other = decode(abi.appliedKeyLayout, key).version;
    if (other !== 0 && other !== version) map.delete(key);
  }
}
