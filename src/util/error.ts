// The one error that people see: what was tried, what is wrong, what to do.

/** Exit codes as ipvsadm uses them. */
export const exit = { ok: 0, list: 1, usage: 2, refused: 255 } as const;

/**
 * An error meant for the user: its message is a whole sentence and is printed without a stack.
 * Anything else that is thrown is a bug of ours and shows its stack.
 */
export class UserError extends Error {
  /** Exit status of the command that met it. */
  readonly status: number;

  constructor(message: string, status: number = exit.refused) {
    super(message);
    this.name = 'UserError';
    this.status = status;
  }
}
