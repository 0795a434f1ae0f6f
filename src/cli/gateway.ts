// lvsj gateway: what the gateways carry now and whether connections can go there; and what an admin
// tells one of them.

import { Command } from 'commander';
import { setAdmin } from '../kernel/admin.ts';
import { readApplied } from '../kernel/applied.ts';
import { writeCapacity } from '../kernel/capacity.ts';
import { type Director, requireRoot } from '../kernel/director.ts';
import { withLock } from '../kernel/lock.ts';
import {
  type GatewayIdentity,
  readGatewayIdentities,
  readGatewayStates,
} from '../kernel/read-state.ts';
import { isCapacity, parseBitRate } from '../model/bit-rate.ts';
import type { AdminState, BitRates } from '../model/state.ts';
import { exit, UserError } from '../util/error.ts';
import { findGateways } from './find-gateway.ts';
import { formatGateway, formatGateways } from './gateway-text.ts';
import { forTerminal } from './paint.ts';
import { parse } from './parse.ts';
import { printJson, printLines } from './print.ts';
import { directorToRead, directorToWrite } from './running.ts';

/** `-` and 0: not told. */
export function parseCapacity(text: string): number {
  const bits = text === '-' ? 0 : parseBitRate(text);
  if (bits !== undefined && isCapacity(bits)) return bits;
  throw new UserError(
    `capacity "${text}": write bits a second with k, M or G, from 1k to 1000G, e.g. 250M or 1.5G; - for not told`,
    exit.usage,
  );
}

/** What a command line asks for. */
export type GatewayRequest =
  | { kind: 'list'; name: string | undefined }
  | { kind: 'capacity'; name: string; capacity: BitRates }
  | { kind: 'admin'; name: string; admin: AdminState };

const verbs: Readonly<Record<string, AdminState>> = {
  drain: 'drained',
  enable: 'enabled',
  disable: 'disabled',
};

export function parseRequest(words: readonly string[]): GatewayRequest {
  const [name, verb, ...values] = words;
  if (name === undefined || verb === undefined) return { kind: 'list', name };
  const admin = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (admin && values.length === 0) return { kind: 'admin', name, admin };
  const [down, up] = values;
  if (verb === 'capacity' && down !== undefined && up !== undefined)
    return {
      kind: 'capacity',
      name,
      capacity: { down: parseCapacity(down), up: parseCapacity(up) },
    };
  throw new UserError(
    `lvsj gateway ${words.join(' ')}: write lvsj gateway NAME drain, enable or disable, or lvsj gateway NAME capacity DOWN UP`,
    exit.usage,
  );
}

/** Those of one line may be two: its families. Throws where none of them has a number. */
export function toTell(found: readonly GatewayIdentity[], word: string): number[] {
  const ids = found.map(({ id }) => id).filter((id) => id !== 0);
  if (ids.length > 0) return ids;
  throw new UserError(
    `gateway ${word}: it has no next hop yet (${found[0]?.unavailable}); write its capacity in the configuration file`,
  );
}

/** The name under which the configuration knows it. */
export function toAdmin([gateway]: readonly GatewayIdentity[], tried: string): string {
  if (gateway?.name) return gateway.name;
  throw new UserError(
    `${tried}: no configuration has this gateway; lvsj ipvsadm -e -f … -r ${gateway?.address} -j -w 0 drains it in a service`,
  );
}

/** Tells it to the gateways that the word means. */
function change(
  tried: string,
  word: string,
  tell: (director: Director, found: GatewayIdentity[]) => void,
): void {
  requireRoot();
  withLock(() => {
    using director = directorToWrite(tried);
    tell(director, findGateways(readGatewayIdentities(director, readApplied(director)), word));
  });
}

function list(word: string | undefined, json: boolean | undefined): void {
  using director = directorToRead();
  const all = readGatewayStates(director, readApplied(director));
  const found = word === undefined ? all : findGateways(all, word);
  if (json) printJson(found);
  else if (word === undefined) printLines(formatGateways(all, forTerminal));
  else
    printLines(
      found.flatMap((gateway, i) => [
        ...(i > 0 ? [''] : []),
        ...formatGateway(gateway, forTerminal),
      ]),
    );
}

export async function runGateway(args: string[]): Promise<number> {
  const command = new Command('lvsj gateway')
    .description(
      'List the gateways of the director, or tell one of them something; docs/gateway.md says more.',
    )
    .usage(
      '[NAME] [--json]\n       lvsj gateway NAME drain|enable|disable\n       lvsj gateway NAME capacity DOWN UP',
    )
    .argument('[name]', 'its name, address (192.0.2.1, fe80::1%eth1) or number')
    .argument(
      '[verb]',
      'drain: no new connections; disable: none at all; enable: again; capacity: what its line carries, which lbw goes by',
    )
    .argument('[down]', 'bits a second from the internet: 250M, 1.5G; - for not told')
    .argument('[up]', 'bits a second to the internet')
    .option('--json', 'for programs');
  if (!(await parse(command, args))) return exit.ok;
  const request = parseRequest(command.args);
  const tried = ['lvsj gateway', ...command.args].join(' ');
  if (request.kind === 'list') list(request.name, command.opts<{ json?: boolean }>().json);
  else
    change(tried, request.name, (director, found) => {
      if (request.kind === 'admin') setAdmin(director, toAdmin(found, tried), request.admin);
      else
        for (const id of toTell(found, request.name)) writeCapacity(director, id, request.capacity);
    });
  return exit.ok;
}
