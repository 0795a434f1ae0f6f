// The bytes of a lab download, known to both ends. The block's length is a prime, so a loss, a repeat
// or a swap of packets never lines up with it, and comparing costs one memcmp a block.

const blockLength = 65_521;
const block = makeBlock();

/** The `length` pattern bytes from `offset`: a view of at most one block, so it may be shorter. */
export function patternAt(offset: number, length: number): Buffer {
  const start = offset % blockLength;
  return block.subarray(start, Math.min(start + length, blockLength));
}

/** Whether `bytes` are what the pattern has at `offset`. */
export function matchesPattern(bytes: Buffer, offset: number): boolean {
  for (let at = 0; at < bytes.length; ) {
    const want = patternAt(offset + at, bytes.length - at);
    if (want.compare(bytes, at, at + want.length) !== 0) return false;
    at += want.length;
  }
  return true;
}

/** Any generator whose bytes look random will do; this one is Numerical Recipes' LCG. */
function makeBlock(): Buffer {
  const bytes = Buffer.alloc(blockLength);
  let state = 1;
  for (let index = 0; index < blockLength; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}
