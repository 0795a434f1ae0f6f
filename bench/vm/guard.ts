// node bench/vm/guard.ts, in the director's namespace: lets packets take the fast path for an hour, in the
// daemon's place, whose own instructions would be counted as well.

import { Director } from '../../src/kernel/director.ts';
import { readGuard, setGuard } from '../../src/kernel/fastpath.ts';

const hourNs = 3_600_000_000_000n;

const director = Director.find();
if (!director) throw new Error('no director runs in this namespace');
const { epoch } = readGuard(director);
setGuard(director, {
  untilNs: process.hrtime.bigint() + hourNs,
  checkNs: 100_000_000n,
  epoch: epoch + 1,
  careful: 0,
});
director.close();
