// YAML text -> plain values, and where each of them stands.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';

export type Path = readonly (string | number)[];

export interface Place {
  line: number;
  column: number;
}

/** Where a path leads: up to the first step that is not there, or to a word that stands for the rest. */
export interface Found extends Place {
  path: Path;
}

/** What YAML itself has against the text. */
export interface Fault {
  place: Place;
  path: Path;
  reason: string;
  hint: string;
}

/** Aliases can make a small text endless: so many values, so deep, is more than any router needs. */
const mostValues = 2_000_000;
const deepest = 50;

/** Where yaml speaks to programmers. */
const ourWords: Record<string, string> = { MULTIPLE_DOCS: 'a second document: a file holds one' };
const hints: Record<string, string> = { BAD_SCALAR_START: 'write it in quotes' };

/** `@set` is written without quotes by everybody once, and yaml reads it rightly nevertheless. */
const harmless = 'BAD_SCALAR_START';

export class Tree {
  readonly faults: Fault[] = [];
  /** Maps are objects without a prototype; undefined if the text has no structure to look at. */
  readonly plain: unknown;
  readonly #lines = new LineCounter();
  readonly #root: Node | null = null;
  readonly #anchors = new Map<string, Node>();
  #left = mostValues;

  constructor(text: string) {
    const document = this.#parse(text);
    if (!document) return;
    for (const { code, message, pos } of [...document.errors, ...document.warnings])
      this.#fault(pos[0], [], `YAML: ${ourWords[code] ?? message}`, hints[code]);
    if (document.errors.some(({ code }) => code !== harmless)) return;
    this.#root = document.contents;
    this.plain = this.#toPlain(this.#root, []);
  }

  /** Of a value, or of its key; of the nearest thing around it if it is not there. */
  find(path: Path, part: 'key' | 'value' = 'value'): Found {
    let at: Node | null = this.#root;
    let key: Node | null = at;
    for (const [i, step] of path.entries()) {
      // A bare word stands for the whole form, whatever of it is asked for.
      if (isScalar(at) && at.value !== null)
        return { path: path.slice(0, i), ...this.#placeOf(at) };
      const inner: Entry | undefined = this.#step(at, step);
      if (!inner) return { path: path.slice(0, i + 1), ...this.#placeOf(key) };
      key = inner.key;
      at = this.#resolve(inner.value);
    }
    return { path, ...this.#placeOf(part === 'key' ? key : (at ?? key)) };
  }

  #parse(text: string): Document.Parsed | undefined {
    try {
      // Keys that stand twice are reported by #addPair, with their path.
      const options = { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: false };
      return parseDocument(text, options);
    } catch (error) {
      // Thousands of open brackets exhaust its stack.
      this.#fault(0, [], `this can't be read as YAML: ${(error as Error).message}`);
      return undefined;
    }
  }

  #fault(offset: number, path: Path, reason: string, hint = ''): void {
    const { line, col } = this.#lines.linePos(offset);
    this.faults.push({ place: { line: line || 1, column: col || 1 }, path, reason, hint });
  }

  #placeOf(node: Node | null): Place {
    const { line, col } = this.#lines.linePos(node?.range?.[0] ?? 0);
    return { line: line || 1, column: col || 1 };
  }

  #step(node: Node | null, step: string | number): Entry | undefined {
    if (isSeq<Node>(node)) {
      const item = typeof step === 'number' ? node.items[step] : undefined;
      return item && { key: item, value: item };
    }
    const pair = isMap<Node, Node>(node)
      ? node.items.find(({ key }) => nameOf(key) === step)
      : null;
    return pair ? { key: pair.key, value: pair.value } : undefined;
  }

  #resolve(node: Node | null): Node | null {
    return isAlias(node) ? (this.#anchors.get(node.source) ?? null) : node;
  }

  #toPlain(node: Node | null, path: Path): unknown {
    if (this.#left-- <= 0 || path.length > deepest) {
      // Said once: what comes after would be as much.
      if (this.#left > -mostValues)
        this.#fault(node?.range?.[0] ?? 0, [], 'from here the file unfolds into too much');
      this.#left = -mostValues;
      return undefined;
    }
    if (isAlias(node)) return this.#toPlainAlias(node.source, node, path);
    if (node?.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isMap<Node, Node>(node)) return this.#toPlainMap(node, path);
    if (isSeq<Node>(node)) return node.items.map((item, i) => this.#toPlain(item, [...path, i]));
    return isScalar(node) ? wordOf(node) : null;
  }

  #toPlainAlias(name: string, node: Node, path: Path): unknown {
    const target = this.#anchors.get(name);
    if (target) return this.#toPlain(target, path);
    this.#fault(node.range?.[0] ?? 0, path, `there is no anchor &${name} before this *${name}`);
    return undefined;
  }

  #toPlainMap(map: YAMLMap<Node, Node>, path: Path): Record<string, unknown> {
    const plain: Record<string, unknown> = Object.create(null);
    for (const pair of map.items) this.#addPair(plain, { map, pair, path });
    return plain;
  }

  #addPair(plain: Record<string, unknown>, { map, pair, path }: PairAt): void {
    const name = nameOf(pair.key);
    const offset = pair.key?.range?.[0] ?? map.range?.[0] ?? 0;
    if (name === undefined) {
      this.#fault(offset, path, 'a key must be a word, not a list, a map or nothing');
    } else if (name in plain) {
      const first = map.items.find(({ key }) => nameOf(key) === name)?.key;
      const line = this.#placeOf(first ?? null).line;
      const reason = `"${name}" is here twice, first on line ${line}`;
      this.#fault(offset, [...path, name], reason, 'leave one of them');
    } else plain[name] = this.#toPlain(pair.value, [...path, name]);
  }
}

/** Numbers and truth values as they are written: a leaf reads them, and messages show them. */
const wordOf = ({ value, source }: Scalar): unknown =>
  value === null || typeof value === 'string' ? value : (source ?? String(value));

interface Entry {
  key: Node;
  value: Node | null;
}

interface PairAt {
  map: YAMLMap<Node, Node>;
  pair: Pair<Node, Node>;
  path: Path;
}

/** `1: …` is a key, too: its name is what stands there. */
const nameOf = (key: Node | null): string | undefined =>
  isScalar(key) && key.value !== null ? String(key.value) : undefined;
