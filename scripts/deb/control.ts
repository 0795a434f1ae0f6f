// The texts that dpkg reads: version, control fields, changelog, checksums. Pure.

/** The commit that the package is made of. */
export interface Commit {
  hash: string;
  /** Since 1970; SOURCE_DATE_EPOCH where that is set. */
  seconds: number;
  /** The checkout has something that the commit has not. */
  changed: boolean;
}

export interface Section {
  /** `Unreleased`, or a version and perhaps a date. */
  title: string;
  /** Its points, each on one line. */
  points: string[];
}

/** The sections of CHANGELOG.md, newest first. */
export function parseChangelog(text: string): Section[] {
  const [, ...parts] = text.split(/^## /m);
  return parts.map((part) => {
    const [title = '', ...lines] = part.split('\n');
    const points = lines.join('\n').split(/^- /m).slice(1);
    return {
      title: title.trim(),
      points: points.map((point) => point.trim().replace(/\s+/g, ' ')),
    };
  });
}

const isRelease = (section: Section, version: string): boolean =>
  section.title === version || section.title.startsWith(`${version} `);

const twoDigits = (number: number): string => String(number).padStart(2, '0');

/** `20261125.0342`, UTC. */
function stamp(seconds: number): string {
  const date = new Date(seconds * 1000);
  const day = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  const time = [date.getUTCHours(), date.getUTCMinutes()];
  return `${day.map(twoDigits).join('')}.${time.map(twoDigits).join('')}`;
}

/**
 * package.json's version where the changelog has it as its newest section. Unreleased work sorts before that
 * version (~) if it was never released, else behind it (+); of two such packages the later commit is the newer one.
 */
export function packageVersion(version: string, sections: Section[], commit: Commit): string {
  const [newest] = sections;
  const changed = commit.changed ? '.changed' : '';
  if (newest && isRelease(newest, version)) return `${version}${changed.replace('.', '+')}`;
  if (newest?.title !== 'Unreleased')
    throw new Error(
      `package.json says ${version}, and the newest section of CHANGELOG.md is "${newest?.title ?? 'none'}": ` +
        `it must be "${version}" or "Unreleased"`,
    );
  const order = sections.some((section) => isRelease(section, version)) ? '+' : '~';
  return `${version}${order}git${stamp(commit.seconds)}.${commit.hash.slice(0, 7)}${changed}`;
}

/** Puts values in the place of @NAME@. */
export function fillTemplate(template: string, values: Record<string, string | number>): string {
  return template.replace(/@([A-Z_]+)@/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nothing is known for @${name}@`);
    return String(value);
  });
}

/** Lines of at most `width` columns, each with the indent of its kind. */
function wrap(text: string, first: string, next: string, width = 78): string {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(' ')) {
    const start = line === first || line === next;
    if (!start && line.length + 1 + word.length > width) {
      lines.push(line);
      line = next;
    }
    line += line === first || line === next ? word : ` ${word}`;
  }
  return [...lines, line].join('\n');
}

export interface Entry {
  version: string;
  section: Section | undefined;
  maintainer: string;
  seconds: number;
}

/** Debian's changelog: an entry for this package, with the newest section's points. */
export function formatChangelog({ version, section, maintainer, seconds }: Entry): string {
  const points = (section?.points ?? []).map((point) => wrap(point, '  * ', '    '));
  const date = new Date(seconds * 1000).toUTCString().replace('GMT', '+0000');
  return [
    `lvsj (${version}) unstable; urgency=medium`,
    ['', ...points, ''].join('\n'),
    ` -- ${maintainer}  ${date}`,
    '',
  ].join('\n');
}

/** A text as the body of a field: behind a blank, and a dot for an empty line. */
export const formatBody = (text: string): string =>
  text
    .trim()
    .split('\n')
    .map((line) => ` ${line.trimEnd() || '.'}`)
    .join('\n');

export interface PackageLicense {
  name: string;
  version: string;
  license: string;
}

/** The paragraphs of DEP-5 for what npm brought; each keeps its own licence file beside it. */
export function formatLicenses(packages: readonly PackageLicense[]): string {
  const byLicense = Map.groupBy(packages, ({ license }) => license);
  return [...byLicense]
    .map(([license, those]) => {
      const files = those.map(({ name }) => ` usr/lib/lvsj/node_modules/${name}/*`);
      return [
        `Files:\n${files.join('\n')}`,
        'Copyright: the authors that its package.json and licence file name',
        `License: ${license}`,
        ' The text is in the folder of each.',
      ].join('\n');
    })
    .join('\n\n');
}
