// One id from the first suspicion of a gateway to its recovery. Its families share it: it is one line.

import { randomBytes } from 'node:crypto';
import type { Health } from '../model/health.ts';

interface Incident {
  id: string;
  /** gatewayKeys that are not well. */
  open: Set<string>;
}

export class Incidents {
  readonly #byName = new Map<string, Incident>();
  readonly #newId: () => string;

  constructor(newId: () => string = () => randomBytes(4).toString('hex')) {
    this.#newId = newId;
  }

  /** Goes on with one that an earlier daemon began. */
  resume(name: string, key: string, id: string): void {
    if (id === '') return;
    const incident = this.#byName.get(name) ?? { id, open: new Set() };
    incident.open.add(key);
    this.#byName.set(name, incident);
  }

  /** The incident that a gateway's change of health belongs to: the last one has its id, too. */
  follow(name: string, key: string, to: Health): string {
    const incident = this.#byName.get(name) ?? { id: this.#newId(), open: new Set() };
    this.#byName.set(name, incident);
    if (to !== 'up') incident.open.add(key);
    else incident.open.delete(key);
    if (incident.open.size === 0) this.#byName.delete(name);
    return incident.id;
  }
}
