// Reads what packets told of gateways: often, so without a bigint for each CPU's copy of each number.

import type { EvidenceReading } from '../model/evidence.ts';
import type { Director } from './director.ts';
import { possibleCpus } from './libbpf.ts';
import { u32Key } from './maps.ts';

const wordBytes = 4;
const upperWord = 2 ** 32;

/** Adds up the copies that each CPU has of a struct of u64; a total of years of packets is exact. */
function sumCopies(value: Buffer): number[] {
  const words = new Uint32Array(value.buffer, value.byteOffset, value.length / wordBytes);
  const count = words.length / 2 / possibleCpus();
  const sums = new Array<number>(count).fill(0);
  for (let word = 0; word < words.length; word += 2) {
    const at = (word / 2) % count;
    const add = (words[word] as number) + (words[word + 1] as number) * upperWord;
    sums[at] = (sums[at] as number) + add;
  }
  return sums;
}

/** In the order of struct gateway_evidence, then that of struct gateway_bytes. */
type Sums = [...evidence: [number, number, number, number, number, number, number], ...number[]];

/** ids: of gateways; 0, which none has, has nothing. */
export function readEvidence(
  { maps }: Director,
  ids: readonly number[],
): Map<number, EvidenceReading> {
  const [evidenceMap, bytesMap] = [maps.map('gateway_evidence'), maps.map('gateway_bytes')];
  const found = new Map<number, EvidenceReading>();
  for (const id of ids) {
    const [evidence, bytes] = [evidenceMap.get(u32Key(id)), bytesMap.get(u32Key(id))];
    if (!evidence || !bytes) continue;
    const [syns, synRepeats, synAnswers, asks, askAnswers, unreachables, delaysUs, ...delays] =
      sumCopies(evidence) as Sums;
    const [bytesDown, bytesUp] = sumCopies(bytes) as [number, number];
    found.set(id, {
      ...{ syns, synRepeats, synAnswers, asks, askAnswers, unreachables },
      ...{ delays, delaysUs, bytesUp, bytesDown },
    });
  }
  return found;
}
