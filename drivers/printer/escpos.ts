/**
 * Receipt printers that speak ESC/POS over a serial or USB line, in Korean: the driver "printer/escpos".
 *
 * One loop owns the printer: it connects, prints what is queued in order, and otherwise asks every few seconds how the
 * printer is, so that an empty roll is known before the next sale needs it. Assumes that the printer answers DLE EOT and
 * GS r 1 (README.md, "What to buy"); one that does not never gets a receipt counted as printed.
 */
import { pino } from "pino";
import { Fault, type FaultCode } from "../../daemon/core/fault.ts";
import type { PrintProblem } from "../../daemon/core/prompt.ts";
import type { Paper } from "../../daemon/core/receipt.ts";
import type { Device, Driver, PrinterCommand, PrinterEvent } from "../driver.ts";
import { cutOff, encodePaper } from "./codec.ts";
import type { PaperColumns } from "./composition.ts";
import { Connection } from "./connection.ts";
import { type Fonts, findFonts } from "./fonts.ts";
import { isCopy, languageOf, layOut } from "./layout.ts";
import { type PrintOutcome, printPieces } from "./print-job.ts";
import { type EscposSettings, escposSettings } from "./settings.ts";

const MAX_QUEUED = 16;
/** Ids of receipts that came out: the same command again is answered and not printed again. */
const MAX_REMEMBERED = 128;
/** Longest wait for the receipt under way when the device is closed. */
const CLOSE_GRACE_MS = 1_000;
const RECONNECT_FIRST_MS = 250;
const RECONNECT_MAX_MS = 5_000;
/** A printer that misses one status request may be busy; this many in a row is offline. */
const MISSES_UNTIL_OFFLINE = 2;

const PROBLEM_FAULTS: Readonly<Record<PrintProblem, FaultCode>> = {
  "paper-out": "printer.paper-out",
  "cover-open": "printer.cover-open",
  offline: "printer.offline",
};

export const escposPrinter: Driver<"printer", EscposSettings> = {
  id: "printer/escpos",
  kind: "printer",
  settings: escposSettings,
  fingerprints: [
    { usbVendor: "04b8" }, // Seiko Epson
    { usbVendor: "1504" }, // Bixolon
    { name: /receipt|thermal|escpos|pos.?printer/i },
  ],
  async open(given, emit) {
    const device = new EscposDevice(given, emit);
    await device.start();
    return device;
  },
};

class EscposDevice implements Device<"printer"> {
  readonly #settings: EscposSettings;
  readonly #emit: (event: PrinterEvent) => void;
  // The host reads events from its own channel; the log of a driver goes to standard error.
  readonly #log = pino({ name: "printer/escpos" }, pino.destination(2));
  #fonts: Fonts | undefined;
  #connection: Connection | undefined;
  #problem: PrintProblem | undefined;
  #misses = 0;
  #backOffMs = RECONNECT_FIRST_MS;
  readonly #queue: PrinterCommand[] = [];
  readonly #printed = new Set<string>();
  #current: string | undefined;
  /** The start of a receipt that failed is still in the printer's mouth. */
  #stub = false;
  #closing = false;
  #wake: (() => void) | undefined;
  #loop: Promise<void> = Promise.resolve();

  constructor(given: EscposSettings, emit: (event: PrinterEvent) => void) {
    this.#settings = given;
    this.#emit = emit;
  }

  async start(): Promise<void> {
    this.#connection = await this.#connect();
    this.#loop = this.#run();
  }

  async command(command: PrinterCommand): Promise<void> {
    if (this.#closing) throw new Fault("printer.offline", "the printer was closed");
    const { id, paper } = command;
    if (this.#printed.has(id) && !isCopy(paper)) {
      this.#emit({ kind: "printed", id });
      return;
    }
    if (this.#current === id || this.#queue.some((queued) => queued.id === id)) return;
    if (this.#queue.length >= MAX_QUEUED) {
      throw new Fault("printer.offline", `${MAX_QUEUED} papers are waiting already; look at the printer`);
    }
    this.#queue.push(command);
    this.#wake?.();
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#wake?.();
    // A receipt that is coming out may finish; after that the line is closed under it, and it is reported as failed.
    const grace = setTimeout(
      () => void this.#connection?.close(),
      this.#current === undefined ? 0 : CLOSE_GRACE_MS,
    );
    await this.#loop;
    clearTimeout(grace);
    await this.#connection?.close();
  }

  async #run(): Promise<void> {
    while (!this.#closing) {
      if (this.#connection === undefined || this.#connection.closed) await this.#reconnect();
      const command = this.#queue.shift();
      if (command !== undefined) await this.#print(command);
      else {
        await this.#watch();
        if (!this.#closing && this.#queue.length === 0) await this.#pause(this.#idleMs());
      }
    }
    for (const { id } of this.#queue.splice(0)) {
      this.#emit({ kind: "print-failed", id, reason: "offline", paperMoved: false });
    }
  }

  #idleMs(): number {
    if (this.#connection === undefined || this.#connection.closed) return this.#backOffMs;
    return this.#settings.pollIntervalMs;
  }

  async #connect(): Promise<Connection> {
    return await Connection.open(this.#settings, () => this.#wake?.());
  }

  /** One attempt; the pause that follows a failed one doubles up to its limit. */
  async #reconnect(): Promise<void> {
    const lost = this.#connection;
    this.#connection = undefined;
    this.#report("offline", "the line to the printer is closed");
    await lost?.close();
    try {
      this.#connection = await this.#connect();
      this.#backOffMs = RECONNECT_FIRST_MS;
      this.#misses = 0;
    } catch (error) {
      this.#backOffMs = Math.min(this.#backOffMs * 2, RECONNECT_MAX_MS);
      this.#log.debug({ error }, "cannot reconnect yet");
    }
  }

  /** Looks at an idle printer and reports changes. */
  async #watch(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    const problem = await connection.check();
    if (connection.closed) return;
    if (problem !== "silent") {
      this.#misses = 0;
      this.#report(problem, "found by a status request");
      return;
    }
    this.#misses += 1;
    if (this.#misses >= MISSES_UNTIL_OFFLINE) this.#report("offline", "no answer to a status request");
  }

  async #print(command: PrinterCommand): Promise<void> {
    const { id, paper } = command;
    this.#current = id;
    const outcome = await this.#attempt(id, paper);
    this.#current = undefined;
    if (outcome.kind === "printed") {
      this.#remember(id);
      this.#report(undefined, "");
      this.#emit({ kind: "printed", id });
      return;
    }
    this.#emit({ kind: "print-failed", id, reason: outcome.reason, paperMoved: outcome.paperMoved });
    this.#report(outcome.reason, "found while printing");
  }

  async #attempt(id: string, paper: Paper): Promise<PrintOutcome> {
    const connection = this.#connection;
    if (connection === undefined) return { kind: "failed", reason: "offline", paperMoved: false };
    const pieces = this.#encode(id, paper);
    // Cut off what is left of a failed one, so that the customer does not get both on one paper.
    const whole = this.#stub ? [cutOff(this.#settings.cut), ...pieces] : pieces;
    const outcome = await printPieces(connection, whole, this.#settings.stallTimeoutMs);
    this.#stub = outcome.kind === "failed" ? this.#stub || outcome.paperMoved : false;
    return outcome;
  }

  #encode(id: string, paper: Paper): readonly Buffer[] {
    this.#fonts ??= findFonts(this.#settings.fontDirectories);
    const fonts = this.#fonts;
    const { timeZone, cut, drawer } = this.#settings;
    const columns: PaperColumns = this.#settings.columns;
    // Without a Chinese font every fixed word of a Chinese paper would be a question mark.
    const asked = languageOf(paper);
    const language = asked === "zh" && fonts.familyFor("\u8d27") === undefined ? "en" : asked;
    const lines = layOut(paper, { columns, timeZone, language });
    // Only a sale needs the drawer, and only once.
    const opens = paper.kind === "receipt" && !isCopy(paper);
    const options = { columns, fonts, cut, drawer: opens ? drawer : "none" } as const;
    const { pieces, missing } = encodePaper(lines, options);
    if (missing.length > 0) {
      const advice = "install the Debian packages fonts-nanum, fonts-droid-fallback and fonts-symbola";
      this.#log.warn({ id, characters: missing.join("") }, `printed as "?": ${advice}`);
    }
    return pieces;
  }

  #remember(id: string): void {
    this.#printed.add(id);
    for (const oldest of this.#printed) {
      if (this.#printed.size <= MAX_REMEMBERED) break;
      this.#printed.delete(oldest);
    }
  }

  #report(problem: PrintProblem | undefined, detail: string): void {
    if (problem === this.#problem || this.#closing) return;
    this.#problem = problem;
    if (problem === undefined) this.#emit({ kind: "recovered" });
    else this.#emit({ kind: "fault", code: PROBLEM_FAULTS[problem], detail });
  }

  /** Ends early when there is something to do. */
  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
