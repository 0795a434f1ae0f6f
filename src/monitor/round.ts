// One round: all probes asked at once, their answers as they come, and what they say together.

import type { ProbeConfig } from '../model/config.ts';
import { probeName } from './probe-kinds.ts';
import type { ProbeResult } from './types.ts';

export interface Question {
  probe: ProbeConfig;
  timeoutMs: number;
  /** From then on its answer is late. */
  patienceMs: number;
}

/** `void`: too few could be asked for the quorum; says nothing. */
export type Judgement = 'good' | 'bad' | 'void';

export interface RoundOptions {
  /** Counts up. */
  number: number;
  at: number;
  questions: Question[];
  quorum: number;
  /** Probes that need not be asked, because traffic answers for them. */
  answered: number;
}

export class Round {
  readonly number: number;
  readonly at: number;
  readonly questions: Question[];
  judgement: Judgement | undefined;
  readonly #quorum: number;
  readonly #open: Map<string, Question>;
  #good: number;
  readonly #failures: string[] = [];

  constructor({ number, at, questions, quorum, answered }: RoundOptions) {
    this.number = number;
    this.at = at;
    this.questions = questions;
    this.#quorum = quorum;
    this.#open = new Map(questions.map((question) => [probeName(question.probe), question]));
    this.#good = answered;
    this.#judge();
  }

  /** False if nobody waits for it. */
  add(result: ProbeResult, good: boolean): boolean {
    const name = probeName(result.probe);
    if (!this.#open.delete(name)) return false;
    if (good) this.#good++;
    else if (result.outcome !== 'void') this.#failures.push(`${name}: ${result.detail}`);
    this.#judge();
    return true;
  }

  /** It can be judged before all have answered. */
  #judge(): void {
    if (this.judgement) return;
    const open = this.#open.size;
    if (this.#good >= this.#quorum) this.judgement = 'good';
    else if (this.#good + this.#failures.length + open < this.#quorum) this.judgement = 'void';
    else if (this.#good + open < this.#quorum) this.judgement = 'bad';
  }

  get isAnswered(): boolean {
    return this.#open.size === 0;
  }

  /** What failed, in words. */
  get failure(): string {
    return this.#failures.join(', ');
  }

  /** After its last timeout nothing can come but a fault of ours. */
  get endsAt(): number {
    return this.at + Math.max(0, ...this.questions.map(({ timeoutMs }) => timeoutMs));
  }

  /** When all that it still waits for is late; infinite if it is judged. */
  get lateAt(): number {
    if (this.judgement) return Number.POSITIVE_INFINITY;
    return this.at + Math.max(...[...this.#open.values()].map(({ patienceMs }) => patienceMs));
  }

  /** Why it is late, and nothing speaks for what is awaited; '' = it isn't. */
  lateness(at: number, excused: (probe: ProbeConfig) => boolean): string {
    const open = [...this.#open.values()].map(({ probe }) => probe);
    if (at < this.lateAt || open.some(excused)) return '';
    return `${open.map(probeName).join(', ')}: no answer for ${Math.round(at - this.at)} ms`;
  }
}
