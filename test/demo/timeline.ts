/** The demonstration's timeline: who did what, with the seconds since the beginning, for a person to read. */
import type { Seen } from "../support/watcher.ts";

type Who = "you" | "terminal" | "card" | "printer" | "ledger" | "network" | "demo";

const LABELS: { readonly [who in Who]: string } = {
  you: "customer",
  terminal: "terminal",
  card: "card",
  printer: "printer",
  ledger: "ledger",
  network: "network",
  demo: "",
};
const COLOURS: { readonly [who in Who]: number } = {
  you: 36,
  terminal: 33,
  card: 35,
  printer: 32,
  ledger: 34,
  network: 31,
  demo: 2,
};

export class Timeline {
  readonly #began = performance.now();
  readonly #write: (text: string) => void;
  readonly #colour: boolean;

  constructor(write: (text: string) => void, colour: boolean) {
    this.#write = write;
    this.#colour = colour;
  }

  title(text: string): void {
    this.#write(`\n${this.#paint(1, text)}\n`);
  }

  line(who: Who, text: string): void {
    const seconds = ((performance.now() - this.#began) / 1_000).toFixed(2).padStart(7);
    this.#write(
      `${this.#paint(2, `${seconds} s`)}  ${this.#paint(COLOURS[who], LABELS[who].padEnd(9))} ${text}\n`,
    );
  }

  plain(text: string): void {
    this.#write(`${text}\n`);
  }

  /** Tells what was seen of the terminal. */
  tell(seen: Seen): void {
    const text = describe(seen);
    if (text !== null) this.line(...text);
  }

  #paint(code: number, text: string): string {
    return this.#colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

function describe(seen: Seen): [Who, string] | null {
  switch (seen.kind) {
    case "caption":
      return ["terminal", `says: ${seen.text}`];
    case "heard": {
      const { endpointingMs, recognitionMs, understandingMs } = seen.timings;
      const recognised = recognitionMs < 1 ? "recognised meanwhile" : `recognised ${ms(recognitionMs)} later`;
      const times = `pause ${ms(endpointingMs)}, ${recognised}, understood ${ms(understandingMs)}`;
      const confidence = `confidence ${seen.confidence.toFixed(2)}`;
      return [
        "terminal",
        `heard: "${seen.transcript}" = ${seen.intent?.kind ?? "not understood"} (${confidence}; ${times})`,
      ];
    }
    case "awaiting-card":
      return ["terminal", "waits for a card"];
    case "tapped":
      return ["card", `tapped ${seen.masked}, genuine`];
    case "card-rejected":
      return ["card", `rejected: ${seen.reason}`];
    case "paid":
      return [
        "terminal",
        seen.mode === "online" ? "approved by the ledger" : "approved offline, the ledger is told later",
      ];
    case "printed":
      return ["printer", "receipt is out"];
    case "print-failed":
      return ["printer", `no receipt: ${seen.reason}`];
    case "closed": {
      const reply = seen.latency?.turns[0]?.endOfSpeechToReplyMs ?? null;
      const { tapToApprovedMs = null, approvedToPrintedMs = null } = seen.latency ?? {};
      const times = `end of speech to reply ${ms(reply)}, tap to approved ${ms(tapToApprovedMs)}, approved to printed ${ms(approvedToPrintedMs)}`;
      return ["terminal", `sale ${seen.ending} (${times})`];
    }
    case "link":
      return ["network", seen.up ? "the ledger can be reached" : "the ledger cannot be reached"];
    case "alarm":
      return ["terminal", `alarm: ${seen.alarm.kind}`];
    case "fault":
      return ["terminal", `fault in ${seen.unit}: ${seen.detail}`];
    case "view":
    case "spoke":
    case "fell-silent":
    case "listening":
    case "partial":
    case "recovered":
      return null;
  }
}

export function ms(value: number | null): string {
  return value === null ? "-" : `${Math.round(value)} ms`;
}
