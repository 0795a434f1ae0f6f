// The JSON that nft lists, looked into without trusting its form.

export type Json = Record<string, unknown>;

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const asJson = (value: unknown): Json => (isJson(value) ? value : {});

/** Every value below: addresses, names, numbers. */
export function leaves(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(leaves);
  return isJson(value) ? Object.values(value).flatMap(leaves) : [value];
}

/** Targets of jump and goto, of maps of verdicts too. */
export function targetsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(targetsOf);
  if (!isJson(value)) return [];
  return Object.entries(value).flatMap(([key, below]) => {
    const { target } = asJson(below);
    const isJump = (key === 'jump' || key === 'goto') && typeof target === 'string';
    return isJump ? [target] : targetsOf(below);
  });
}
