/**
 * Decides which events of a driver go to a daemon that reads slowly: microphone frames are dropped and counted, because old sound
 * is worthless; nothing else ever is. The daemon is told once when dropping begins and once when it ends.
 */
import type { FaultEvent, RecoveredEvent } from "./driver.ts";

/** Two seconds of sound that the daemon has not taken. */
export const MAXIMUM_UNREAD = 100;
/** Frames flow again when no more than this is unread: not at once, or every second frame would be lost. */
export const CAUGHT_UP = 10;

export type Admission = { readonly send: boolean; readonly before: FaultEvent | RecoveredEvent | null };

const SEND: Admission = { send: true, before: null };
const DROP: Admission = { send: false, before: null };

export class FrameGate {
  #dropped = 0;

  /** Frames dropped since the gate was last open. */
  get dropped(): number {
    return this.#dropped;
  }

  /** `unread` is the number of reports that were sent and not taken yet. `before` is to be sent first. */
  admit(unread: number): Admission {
    if (this.#dropped === 0) {
      if (unread < MAXIMUM_UNREAD) return SEND;
      this.#dropped = 1;
      const detail = "the daemon reads too slowly; frames are dropped";
      return { send: false, before: { kind: "fault", code: "audio.no-frames", detail } };
    }
    if (unread > CAUGHT_UP) {
      this.#dropped++;
      return DROP;
    }
    this.#dropped = 0;
    return { send: true, before: { kind: "recovered" } };
  }
}
