/**
 * What a printer says about itself: the one-byte answers to DLE EOT n (real time, also while it is stopped) and to
 * GS r 1 (in turn, after everything sent before it was carried out).
 *
 * The bit patterns tell the two apart: DLE EOT answers have bits 1 and 4 set and bits 0 and 7 clear, GS r answers have
 * bits 4 and 7 clear (Epson ESC/POS Command Reference, "Identifying the transmitted status").
 */
import type { PrintProblem } from "../../daemon/core/prompt.ts";

const DLE = 0x10;
const EOT = 0x04;
const GS = 0x1d;

/** Printer status, offline cause, roll paper sensor: together they name every reason not to print. */
export const STATUS_REQUESTS = [1, 2, 4] as const;
export type StatusRequest = (typeof STATUS_REQUESTS)[number];

export function askStatus(n: StatusRequest): Buffer {
  return Buffer.from([DLE, EOT, n]);
}

/** GS r 1: transmit paper sensor status, in turn. */
export const END_MARKER: Buffer = Buffer.from([GS, 0x72, 1]);

/**
 * DLE DC4 function 8: forget everything received and not yet printed, so that the rest of a failed receipt does not come
 * out later without a COPY mark. Printers that do not know it print nothing for these control characters.
 */
export const CLEAR_BUFFER: Buffer = Buffer.from([DLE, 0x14, 8, 1, 3, 20, 1, 6, 2, 8]);

export type Answer = { readonly kind: "status"; readonly byte: number } | { readonly kind: "end-marker" };

/** XON and XOFF look like neither; any other byte is noise and ignored. */
export function readAnswer(byte: number): Answer | undefined {
  if ((byte & 0b1001_0011) === 0b0001_0010) return { kind: "status", byte };
  if ((byte & 0b1001_0000) === 0 && byte <= 0x0f) return { kind: "end-marker" };
  return undefined;
}

/**
 * The problem that one answer names, worst first for the person at the counter. Bit 3 of n = 1 is offline, and says
 * nothing by itself about why.
 */
export function problemIn(n: StatusRequest, byte: number): PrintProblem | undefined {
  switch (n) {
    case 1:
      return (byte & 0x08) === 0 ? undefined : "offline";
    case 2:
      if ((byte & 0x04) !== 0) return "cover-open";
      if ((byte & 0x20) !== 0) return "paper-out";
      return (byte & 0x40) === 0 ? undefined : "offline";
    case 4:
      return (byte & 0x60) === 0 ? undefined : "paper-out";
  }
}

/** A named cause is better than "offline", which only says that there is one. */
export function worst(problems: readonly (PrintProblem | undefined)[]): PrintProblem | undefined {
  return (["cover-open", "paper-out", "offline"] as const).find((problem) => problems.includes(problem));
}
