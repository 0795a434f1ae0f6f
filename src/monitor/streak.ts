// How many rounds in a row were good, or bad, in the order in which they were begun: answers overtake each other.

interface Judged {
  round: number;
  good: boolean;
}

export class Streak {
  readonly #length: number;
  #judged: Judged[] = [];

  /** No longer streak is asked for than `length`. */
  constructor(length: number) {
    this.#length = length;
  }

  add(round: number, good: boolean): void {
    const after = this.#judged.findLastIndex((each) => each.round < round) + 1;
    this.#judged.splice(after, 0, { round, good });
    if (this.#judged.length > this.#length) this.#judged.shift();
  }

  clear(): void {
    this.#judged = [];
  }

  get good(): number {
    return this.#count(true);
  }

  get bad(): number {
    return this.#count(false);
  }

  #count(good: boolean): number {
    return this.#judged.length - 1 - this.#judged.findLastIndex((each) => each.good !== good);
  }
}
