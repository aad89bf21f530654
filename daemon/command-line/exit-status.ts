/** What a script learns from the exit status; 64 and above as in sysexits.h. */
export const EXIT = {
  done: 0,
  /** The terminal or the ledger says no, for good: nothing was changed. */
  refused: 1,
  usage: 2,
  /** No sale or charge, or more than one, goes by that name. */
  unclear: 3,
  /** Taken and journalled; the ledger has not answered yet. It goes on by itself: do not ask again. */
  queued: 4,
  damaged: 65,
  unavailable: 69,
  /** The journal is in use, or cannot be written now. */
  busy: 75,
  noRight: 77,
  settings: 78,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_HELP = `
Exit status:
   0  done
   1  refused; nothing was changed
   2  the command was not understood
   3  nothing goes by that name, or several do
   4  taken, and waits for the ledger; it goes on by itself, do not ask again
  65  the journal is damaged
  69  the terminal does not run or does not answer
  75  the journal is in use by another program
  77  no right to the terminal's data folder
  78  the settings have mistakes`;

/** Something that the person at the keyboard can put right; the message says how. */
export class Complaint extends Error {
  readonly status: ExitStatus;

  constructor(status: ExitStatus, message: string) {
    super(message);
    this.status = status;
  }
}
