// `lvsj run` in a lab, with a monitor on both gateways; what it says of them is heard at once.

import { existsSync, statSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { clockMs } from '../../src/lab/clock.ts';
import { directoryOf } from '../../src/lab/place.ts';
import { type Isp, type Lab, namespaceOf } from '../../src/lab/topology.ts';
import { type Health, isDown } from '../../src/model/health.ts';
import { type Contender, Logged } from './contender.ts';

const lvsj = fileURLToPath(new URL('../../lvsj', import.meta.url));
const startMs = 20_000;
const changeMs = 20_000;

/** A gateway took another state; gateways have the names of their ISPs. */
export interface Change {
  at: number;
  isp: string;
  health: Health;
}

/** A word that the API says of a gateway. */
interface Event {
  type: string;
  name: string;
  health: Health;
}

export class Ours implements Contender {
  readonly #daemon: Logged;
  readonly changes: Change[] = [];

  private constructor(lab: Lab, config: string) {
    const file = `${directoryOf(lab.name)}/lvsj.yaml`;
    writeFileSync(file, config);
    this.#daemon = new Logged(lab, [lvsj, 'run', '--config', file]);
  }

  /** Comes back when the configuration is applied and events are heard. */
  static async start(lab: Lab, monitor: string): Promise<Ours> {
    const ours = new Ours(lab, formatConfig(lab, monitor));
    const socket = `/run/lvsj/netns-${statSync(`/run/netns/${namespaceOf(lab.name, 'director')}`).ino}.sock`;
    const applied = () => ours.#daemon.read().includes('"msg":"applied"');
    await ours.#daemon.until('the first configuration', applied, startMs);
    await ours.#daemon.until('the API', () => existsSync(socket), startMs);
    await ours.#listen(socket);
    return ours;
  }

  async #listen(socketPath: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    get({ socketPath, path: '/v1/events' }, (response) => {
      createInterface({ input: response }).on('line', (line) => {
        if (line.startsWith('data: ')) this.#hear(JSON.parse(line.slice(6)) as Event);
      });
      resolve();
      // The daemon's end.
    }).on('error', reject);
    await promise;
  }

  #hear({ type, name, health }: Event): void {
    if (type === 'health') this.changes.push({ at: clockMs(), isp: name, health });
  }

  #isDown(isp: Isp): boolean {
    const last = this.changes.findLast((change) => change.isp === isp.host);
    return last !== undefined && isDown(last.health);
  }

  downAt(isp: Isp, since: number): number | undefined {
    return this.changes.find(
      ({ at, isp: host, health }) => at >= since && host === isp.host && isDown(health),
    )?.at;
  }

  told(): string {
    const last = this.changes.slice(-4).map(({ isp, health }) => `${isp} ${health}`);
    return last.length > 0 ? `last of its gateways: ${last.join(', ')}` : '';
  }

  async up(isp: Isp): Promise<void> {
    await this.#daemon.until(`${isp.host} up`, () => !this.#isDown(isp), changeMs);
  }

  async end(): Promise<void> {
    await this.#daemon.end();
  }
}

const formatConfig = (lab: Lab, monitor: string): string => `
gateways:
${lab.isps
  .map(
    ({ host, link, ipv4 }) =>
      `  ${host}: { link: ${link}, via: { ipv4: ${ipv4.gateway} }, monitor: ${monitor} }`,
  )
  .join('\n')}
services:
  all:
    fwmark: 1
    scheduler: rr
    on-down: { action: reset, idle: true }
    gateways: { ${lab.isps.map(({ host }) => `${host}: 1`).join(', ')} }
rules:
  - { service: all }
`;
