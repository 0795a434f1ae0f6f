// The director of this network namespace: find, start, stop.
//
// It has no process and no fixed path: lvsj_control is attached to lvsj0, and whoever looks there
// finds the program, and through it every map. lvsj_director is held by its routes, the LAN
// programs by lvsj0 too, where no packet comes in, so that links can be added later. What goes out
// by lvsj0 comes in on its other end: the router's own packets, if a service shares them out.

import { randomBytes } from 'node:crypto';
import { connections, defaultMarkMask, isMarkMask } from '../model/bounds.ts';
import { defaultSettings } from '../model/setting.ts';
import type { Family } from '../model/table.ts';
import { directorLink, type MarkBits, planObjects } from '../plan/objects.ts';
import { exit, UserError } from '../util/error.ts';
import { waitSync } from '../util/wait-sync.ts';
import * as abi from './abi.gen.ts';
import { decode } from './codec.ts';
import { clearMarks } from './conntrack.ts';
import { endFastPath } from './fastpath.ts';
import * as libbpf from './libbpf.ts';
import { deleteDirectorLink, haveIpv6, makeDirectorLink, readLinks } from './link.ts';
import { DirectorMaps } from './maps.ts';
import { readMemory, restoreSysctls } from './memory.ts';
import { createShards, DirectorObject, FormError, objectPath } from './object.ts';
import { addObjects, clearObjects } from './objects.ts';
import { endPause } from './pause.ts';
import { pinTimers, timersArePinned, unpinAll, unpinDead } from './pin.ts';
import { Program } from './program.ts';
import {
  attachControl,
  findControl,
  findRouteProgram,
  heldPrograms,
  holdPrograms,
  routeToDirector,
} from './programs.ts';
import { changeSysctls } from './sysctl.ts';
import { detachPrograms, type LinkPrograms, type Side, sides } from './tc.ts';

export interface StartOptions {
  /** Most connections and templates that the table holds. */
  connections: number;
  markMask: number;
}

export const defaults: StartOptions = {
  connections: connections.default,
  markMask: defaultMarkMask,
};

/** Seconds; TCP's are IPVS's, by state number. */
const defaultTimeouts = [2, 900, 120, 60, 120, 120, 10, 60, 30, 120, 120, 300, 300, 0, 0, 0];
/** SCTP's are IPVS's too: its state 0 is CONN_SCTP. */
const sctpTimeouts = [2, 4, 61, 61, 61, 61, 61, 61, 900, 61, 61, 61, 4, 61, 0, 0];
/** conntrack's, for the same reasons: an answer to a ping is not long in coming. */
const icmpTimeout = 30;
const otherTimeout = 600;

/** The families that this namespace routes. */
export const families = (): Family[] => (haveIpv6() ? [4, 6] : [4]);

/** Place of the eight gateway bits. */
export function markBits(mask: number): MarkBits {
  if (!isMarkMask(mask))
    throw new UserError(
      `mark mask 0x${(mask >>> 0).toString(16)}: it must be eight bits in a row, e.g. 0xff000000`,
      exit.usage,
    );
  return { mask: mask >>> 0, shift: 31 - Math.clz32(mask & -mask) };
}

const startDeadlineMs = 3000;

const noRequest = decode(abi.requestLayout, Buffer.alloc(abi.requestLayout.size));

/** Root of this machine, in a namespace that it may change. */
export function requireRoot(): void {
  if (process.geteuid?.() !== 0)
    throw new UserError("Can't initialize lvsj: Permission denied (you must be root)", exit.usage);
}

export class Director {
  #control: Program;
  #maps: DirectorMaps;

  constructor(control: Program, maps: DirectorMaps) {
    this.#control = control;
    this.#maps = maps;
  }

  get control(): Program {
    return this.#control;
  }

  get maps(): DirectorMaps {
    return this.#maps;
  }

  /** The one that runs in this network namespace. */
  static find(): Director | undefined {
    const director = Director.findAny();
    if (!director || director.abi === abi.abi.ABI_VERSION) return director;
    const { abi: running } = director;
    director.close();
    throw new FormError(
      `the director that runs here speaks ABI ${running}, this lvsj ${abi.abi.ABI_VERSION}`,
    );
  }

  /** The same, whatever ABI it speaks: bpf/abi.h says what may be read of it. */
  static findAny(): Director | undefined {
    const id = findControl();
    if (id === undefined) return undefined;
    const control = Program.byId(id);
    return new Director(control, DirectorMaps.byIds(control.info.mapIds));
  }

  get abi(): number | undefined {
    return this.maps.map('settings').get(Buffer.alloc(4))?.readUInt32LE(0);
  }

  /** Goes on with the one that stands in its place now. */
  renew(): void {
    const next = Director.find();
    if (!next) throw new Error(`the director that was just put on ${directorLink} is not found`);
    this.close();
    this.#control = next.control;
    this.#maps = next.maps;
  }

  /** Starts one; whatever fails, nothing is left behind. */
  static start(options: StartOptions, path = objectPath): Director {
    const bits = markBits(options.markMask);
    unpinDead();
    const object = new DirectorObject(path);
    try {
      return bringUp(object, options, bits);
    } catch (error) {
      takeDown(object.maps());
      throw error;
    } finally {
      object.close();
    }
  }

  /** Gives our descriptors of it back; it goes on. */
  close(): void {
    this.control.close();
    this.maps.close();
  }

  /** `using director = Director.find()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  get settings(): abi.Settings {
    const settings = this.maps.settings.get(0);
    if (!settings) throw new Error('the settings map is empty');
    return settings;
  }

  get bits(): MarkBits {
    return { mask: this.settings.markMask, shift: this.settings.markShift };
  }

  /** Has lvsj_control do something, and returns what it made of the request: see bpf/abi.h. */
  request(request: Partial<abi.Request>): abi.Request {
    const answer = this.#ask(request) && this.maps.requests.get(0);
    if (!answer) throw new Error(`lvsj_control refused request ${request.kind}`);
    return answer;
  }

  #ask(request: Partial<abi.Request>): boolean {
    this.maps.requests.set(0, { ...noRequest, ...request });
    return this.control.run(Buffer.alloc(64)).retval === 0;
  }

  /** Pins the timers and starts them; again if the pin was lost. */
  keepTime(): void {
    if (timersArePinned()) return;
    pinTimers(this.maps.map('clocks').info.id);
    this.#startTimers();
  }

  /** The timers, which run the programs of another object until now, run those of this one. */
  takeTime(): void {
    const taken = this.#ask({ kind: abi.requestKind.REQUEST_TAKE_OVER });
    if (!timersArePinned()) pinTimers(this.maps.map('clocks').info.id);
    else if (taken) return;
    this.#startTimers();
  }

  #startTimers(): void {
    // The kernel neither waits for a lock nor frees a page to get a timer's memory: while the machine is
    // busy it may fail for a moment.
    const start = (): boolean => this.#ask({ kind: abi.requestKind.REQUEST_START });
    if (!waitSync(start, startDeadlineMs))
      throw new Error(
        `the kernel gave no memory for the timers in ${startDeadlineMs} ms (bpf_timer)`,
      );
  }

  /** The programs for a side's links, with and without a link header: descriptors that the caller closes. */
  linkPrograms(side: Side, ethernet = true): LinkPrograms {
    return heldPrograms(side, ethernet);
  }

  /** The director itself, which its routes alone hold. */
  routeProgram(): Program {
    const program = findRouteProgram('lvsj_director');
    if (!program) throw new Error('lvsj_director is not loaded any more: its routes are gone');
    return program;
  }

  /** Takes it away, but for its ids in the marks that conntrack keeps. */
  takeDown(): void {
    takeDown(this.maps);
  }

  /** Ends it: the namespace is as it was found. */
  stop(): void {
    endFastPath(this);
    this.takeDown();
    endPause();
    // Gateway ids mean nothing once the director is gone; a later one may give them to others. Last,
    // because until then packets still write them.
    clearMarks(this.bits.mask);
  }
}

function initialSettings(options: StartOptions, bits: MarkBits): abi.Settings {
  return {
    abi: abi.abi.ABI_VERSION,
    connectionLimit: options.connections,
    cpus: libbpf.possibleCpus(),
    slotsUsed: 1,
    timeoutS: [...defaultTimeouts, ...sctpTimeouts],
    markMask: bits.mask,
    markShift: bits.shift,
    icmpTimeoutS: icmpTimeout,
    otherTimeoutS: otherTimeout,
    generation: 0,
    ...defaultSettings,
    seed: randomBytes(8).readBigUInt64LE(),
  };
}

function bringUp(object: DirectorObject, options: StartOptions, bits: MarkBits): Director {
  const maps = object.maps();
  createShards(maps.map('connections'), options.connections);
  maps.settings.set(0, initialSettings(options, bits));
  const control = object.bindControl();
  makeDirectorLink();
  holdPrograms(object);
  // Last of the programs: from here on others find the director.
  attachControl(control);
  // The object closes its own descriptors: go on with ones that are the director's.
  const director = Director.find();
  if (!director) throw new Error('the director that was just started is not found');
  // A pin of ours can only be a dead namespace's whose number the kernel gave to this one.
  unpinAll();
  director.keepTime();
  changeSysctls(director.maps, [], []);
  routeToDirector(object.routePrograms(), families());
  const nothing = { gateways: [], fwmarks: [], onePacket: [], families: families() };
  addObjects(planObjects(nothing, bits), families());
  return director;
}

/** Rules first, so that no packet is sent to what goes next. */
function takeDown(maps: DirectorMaps | undefined): void {
  clearObjects(families());
  if (maps) {
    for (const link of readLinks().filter(({ name }) => name !== directorLink))
      for (const side of sides) detachPrograms(maps, link, side);
    restoreSysctls(readMemory(maps));
  }
  deleteDirectorLink();
  // Last: it alone needs another mount namespace, which some may not enter.
  unpinAll();
}

/** Ends the director of this namespace, and clears up after one that was half made. */
export function stopDirector(): void {
  const director = Director.find();
  if (director) director.stop();
  else if (libbpf.interfaceIndex(directorLink) !== 0) takeDown(undefined);
  else throw new UserError('not running: there is no director in this network namespace');
}
