// The repository's own rules (CONTRIBUTING.md) as pure functions: a source file in, problems out.
// repo.test.ts applies them to every file, and each of them to a file that breaks it.

import { posix } from 'node:path';
import ts from 'typescript';

export interface SourceFile {
  /** From the repository's root, with slashes. */
  path: string;
  text: string;
}

/** Each problem is one line, `file:line: rule`. */
export type Rule = (file: SourceFile) => string[];

const maxFileLines = 300;
const maxFunctionLines = 40;
const maxTestLines = 60;
const maxCFunctionLines = 75;

/** Files that may be longer, because they are one table and nothing else. */
const longTables: string[] = ['bpf/abi.h', 'test/cases/config.ts'];

/** What a folder of src may import, beside itself; a folder that is not here may not exist. */
const mayImport: Record<string, string[]> = {
  model: [],
  util: [],
  config: ['model', 'util'],
  ipvsadm: ['model', 'util'],
  plan: ['model', 'util'],
  firewall: ['model', 'util', 'plan'],
  doctor: ['model', 'util', 'plan', 'firewall'],
  explain: ['model', 'util', 'plan'],
  monitor: ['model', 'util', 'plan'],
  kernel: ['model', 'util', 'plan', 'explain'],
  probe: ['model', 'util', 'monitor', 'kernel'],
  lab: ['model', 'util'],
  api: ['model', 'util'],
  daemon: ['model', 'util', 'config', 'plan', 'firewall', 'kernel', 'api', 'monitor', 'probe'],
  cli: [
    'model',
    'util',
    'config',
    'ipvsadm',
    'plan',
    'firewall',
    'doctor',
    'explain',
    'kernel',
    'lab',
    'api',
    'daemon',
  ],
};

/** Packages that reach the kernel or start programs, and the places that may. */
const guardedPackages: { names: string[]; allowed: RegExp }[] = [
  // The lab's slow link is a tun device, which only an ioctl makes.
  { names: ['koffi'], allowed: /^src\/(kernel\/|lab\/tun\.ts$)/ },
  {
    names: ['node:child_process', 'child_process'],
    allowed: /^(src\/(kernel|lab)\/|src\/util\/run(-timed)?\.ts$|bench\/|scripts\/)/,
  },
];

const mayPrint = /^(src\/cli|src\/lab|bench|scripts)\//;

const isTs = (file: SourceFile): boolean => file.path.endsWith('.ts');
const isTest = (file: SourceFile): boolean => /^test\/|\.test\.ts$/.test(file.path);

export const checkFileLength: Rule = (file) => {
  const lines = file.text.trimEnd().split('\n').length;
  if (lines <= maxFileLines || longTables.includes(file.path)) return [];
  return [`${file.path}:${maxFileLines + 1}: file of ${lines} lines, at most ${maxFileLines}`];
};

export const checkFunctionLength: Rule = (file) => {
  const problems: string[] = [];
  visit(file, (node, source) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
    const max = maxLinesOf(node, file);
    const first = lineOf(node.getStart(source), source);
    const lines = lineOf(node.end, source) - first + 1;
    if (lines > max)
      problems.push(`${file.path}:${first}: function of ${lines} lines, at most ${max}`);
  });
  return problems;
};

/** A `describe` callback is a list of tests, not a function that anybody has to follow. */
function maxLinesOf(node: ts.Node, file: SourceFile): number {
  const names = isTest(file) && ts.isCallExpression(node.parent) ? calledNames(node.parent) : [];
  if (names.includes('describe')) return Number.POSITIVE_INFINITY;
  return names.includes('test') ? maxTestLines : maxFunctionLines;
}

/** `test(…)`, `t.test(…)` and `test.skip(…)` all call a `test`. */
function calledNames(call: ts.CallExpression): string[] {
  return call.expression.getText().split('.');
}

/** In the kernel's style a function's braces are the only ones that stand alone in column 0. */
export const checkCFunctionLength: Rule = (file) => {
  if (!/\.[ch]$/.test(file.path)) return [];
  const lines = file.text.split('\n');
  const problems: string[] = [];
  lines.forEach((line, open) => {
    if (line !== '{') return;
    const length = lines.indexOf('}', open) - open + 1;
    if (length > maxCFunctionLines) {
      const where = `${file.path}:${open + 1}`;
      problems.push(`${where}: function body of ${length} lines, at most ${maxCFunctionLines}`);
    }
  });
  return problems;
};

export const checkImports: Rule = (file) => {
  if (isTest(file)) return [];
  return importsOf(file).flatMap(({ specifier, line }) => {
    const reason = specifier.startsWith('.')
      ? localImportProblem(file.path, posix.join(posix.dirname(file.path), specifier))
      : packageImportProblem(file.path, specifier);
    return reason === undefined ? [] : [`${file.path}:${line}: ${reason}`];
  });
};

function localImportProblem(from: string, to: string): string | undefined {
  const [root, source = '', ...inSource] = from.split('/');
  const [toRoot, target = ''] = to.split('/');
  if (toRoot === 'src' && target === 'cli' && !from.startsWith('src/cli/')) {
    return 'nothing imports src/cli';
  }
  if (root !== 'src') return undefined;
  if (toRoot !== 'src') return `src imports nothing outside src: "${to}"`;
  const allowed = inSource.length === 0 ? undefined : mayImport[source];
  if (allowed === undefined) return `src/${source} has no row in test/repo-rules.ts mayImport`;
  if (target === source || allowed.includes(target)) return undefined;
  return `src/${source} may not import src/${target}`;
}

function packageImportProblem(from: string, specifier: string): string | undefined {
  const guard = guardedPackages.find(({ names }) => names.includes(specifier));
  if (guard === undefined || guard.allowed.test(from)) return undefined;
  return `only ${guard.allowed.source} may import ${specifier}`;
}

interface Import {
  specifier: string;
  line: number;
}

/** Every `import`, `export … from` and `import()` of a file. */
function importsOf(file: SourceFile): Import[] {
  const imports: Import[] = [];
  visit(file, (node, source) => {
    const specifier = importedModule(node);
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return;
    const line = lineOf(node.getStart(source), source);
    imports.push({ specifier: specifier.text, line });
  });
  return imports;
}

function importedModule(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
    return node.argument.literal;
  const isCall = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isCall ? node.arguments[0] : undefined;
}

export const checkOnly: Rule = (file) =>
  callsOf(
    file,
    (names) => names.length > 1 && names.includes('only'),
    'a test marked ".only" hides the others',
  );

export const checkPrinting: Rule = (file) =>
  mayPrint.test(file.path)
    ? []
    : callsOf(
        file,
        ([object, name]) => object === 'console' && name === 'log',
        `console.log outside ${mayPrint.source}`,
      );

function callsOf(file: SourceFile, matches: (names: string[]) => boolean, rule: string): string[] {
  const problems: string[] = [];
  visit(file, (node, source) => {
    if (!ts.isCallExpression(node) || !matches(calledNames(node))) return;
    problems.push(`${file.path}:${lineOf(node.getStart(source), source)}: ${rule}`);
  });
  return problems;
}

// Written in two halves, so that this file does not break its own rule.
const openPoint = /\b(?:TO|FIX)(?:DO|ME)\b(?!.*#\d)/;

export const checkOpenPoints: Rule = (file) =>
  file.text.split('\n').flatMap((line, index) => {
    const found = openPoint.exec(line);
    return found ? [`${file.path}:${index + 1}: ${found[0]} without an issue number (#12)`] : [];
  });

export const checkHeader: Rule = (file) => {
  if (!file.path.startsWith('src/') || /^(\/\/|\/\*)/.test(file.text)) return [];
  return [`${file.path}:1: the first line is a comment that says what the file is for`];
};

function visit(file: SourceFile, see: (node: ts.Node, source: ts.SourceFile) => void): void {
  if (!isTs(file)) return;
  const source = ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true);
  const step = (node: ts.Node): void => {
    see(node, source);
    ts.forEachChild(node, step);
  };
  step(source);
}

function lineOf(position: number, source: ts.SourceFile): number {
  return source.getLineAndCharacterOfPosition(position).line + 1;
}
