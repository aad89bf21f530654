/**
 * The one class for operating faults: something outside the program did not work. Expected outcomes (declined, over
 * a limit) are data, programmer errors are plain `Error`. Vendor errors are translated to a Fault once, at the adapter.
 */
export const FAULT_CODES = {
  "audio.no-device": "the sound device cannot be opened",
  "audio.no-frames": "the microphone delivers no frames",
  "audio.program-missing": "a sound program is not installed",
  "card.reader-missing": "no contactless reader is present",
  "card.reader-hung": "the contactless reader does not answer",
  "card.service-down": "the PC/SC service is not running",
  "printer.offline": "the printer does not answer",
  "printer.paper-out": "the printer has no paper",
  "printer.cover-open": "the printer's cover is open",
  "model.missing": "a model file is missing",
  "model.damaged": "a model file does not match its description",
  "model.failed": "a model did not produce a result",
  "settings.invalid": "a settings file has mistakes",
  "journal.locked": "another daemon uses this journal",
  "journal.damaged": "the journal does not verify",
  "journal.newer": "the journal was written by a newer program",
  "journal.unwritable": "the journal cannot be written",
  "wire.malformed": "a message cannot be read",
  "wire.version": "a message is of a version this program does not speak",
  "ledger.unreachable": "the ledger does not answer",
  "ledger.signature": "an answer does not carry the ledger's signature",
  "gateway.unreachable": "the payment gateway does not answer",
  "display.unavailable": "the customer display cannot be served",
  "process.exited": "a child process ended",
  "process.hung": "a child process stopped answering",
  "time-out": "an operation took longer than allowed",
} as const;

export type FaultCode = keyof typeof FAULT_CODES;

/** Whether doing the same again can do harm: `unknown` means it may already have happened. */
export type Retry = "safe" | "unsafe" | "unknown";

export class Fault extends Error {
  readonly code: FaultCode;
  readonly retry: Retry;
  /** What happened this time, without the code's own sentence: travels with the code between processes. */
  readonly detail: string;

  constructor(code: FaultCode, detail: string, options: { retry?: Retry; cause?: unknown } = {}) {
    super(
      `${FAULT_CODES[code]}: ${detail}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.name = "Fault";
    this.code = code;
    this.detail = detail;
    this.retry = options.retry ?? "safe";
  }
}
