// lblc and lblcr once more, as ipvs-semantics §2.5 tells them.

import { best, type Gateway, isLighter, liveWeight, pickWlc } from './reference-gateway.ts';

const expiration = 86400;

interface Choice {
  seen: number;
  changed: number;
  /** The newest first; one that was deleted stays in it. */
  set: Gateway[];
}

const isBusy = (gateway: Gateway, list: Gateway[]): boolean =>
  gateway.active > gateway.weight && list.some((other) => 2 * other.active < liveWeight(other));

/** What a service remembers of servers. */
export class ReferenceServers {
  readonly #choices = new Map<string, Choice>();

  pickLblc(list: Gateway[], server: string, now: number): Gateway | undefined {
    const known = this.#recall(server, now)?.set[0];
    const isMember = known && list.includes(known);
    if (isMember && liveWeight(known) > 0 && !isBusy(known, list)) return known;
    const chosen = pickWlc(list);
    if (chosen) this.#choices.set(server, { seen: now, changed: now, set: [chosen] });
    return chosen;
  }

  pickLblcr(list: Gateway[], server: string, now: number): Gateway | undefined {
    const choice = this.#recall(server, now);
    const members = choice?.set.filter((gateway) => list.includes(gateway)) ?? [];
    const least = pickWlc(members);
    if (choice && choice.set.length > 1 && now - choice.changed > expiration)
      removeWorst(choice, now);
    if (least && !isBusy(least, list)) return least;
    const chosen = pickWlc(list);
    if (!chosen) return undefined;
    if (!choice) {
      this.#choices.set(server, { seen: now, changed: now, set: [chosen] });
    } else if (!choice.set.includes(chosen)) {
      choice.set.unshift(chosen);
      choice.changed = now;
    }
    return chosen;
  }

  #recall(server: string, now: number): Choice | undefined {
    const choice = this.#choices.get(server);
    if (choice && now - choice.seen >= expiration) this.#choices.delete(server);
    const found = this.#choices.get(server);
    if (found) found.seen = now;
    return found;
  }
}

/** Whether it is full or deleted does not matter here; one without weight, or down, stays. */
function removeWorst(choice: Choice, now: number): void {
  const weighty = choice.set.filter((gateway) => liveWeight(gateway) > 0);
  const worst = best(weighty, (a, b) => isLighter(b, a));
  if (!worst) return;
  choice.set.splice(choice.set.indexOf(worst), 1);
  choice.changed = now;
}
