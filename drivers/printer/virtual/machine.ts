/**
 * The virtual printer as a machine: a receive buffer of 4 KiB, a mechanism that takes its time, a roll, a cover, and
 * answers in real time. It stops where a real one stops: out of paper or with its cover open it answers DLE EOT, keeps
 * what it has received and carries on when it is well again; switched off it reads and answers nothing.
 */

import type { PaperColumns } from "../composition.ts";
import type { Fonts } from "../fonts.ts";
import { Paper, type PaperPiece } from "./paper.ts";
import { EscposParser, type Operation } from "./parser.ts";
import { type RealTimeCommand, RealTimeFilter } from "./real-time.ts";

export type MachineProblem = "paper-out" | "cover-open" | "offline";

export type MachineOptions = {
  readonly columns: PaperColumns;
  readonly fonts: Fonts;
  /** Lines of 30 dots a second. */
  readonly linesPerSecond: number;
  /** Knows DLE DC4 8; many cheap printers do not, and print the rest of a failed receipt later. */
  readonly clears: boolean;
  readonly answer: (bytes: Uint8Array) => void;
  /** True asks the line to hold back (buffer full or switched off), false to go on. */
  readonly hold: (held: boolean) => void;
  readonly onPiece: (piece: PaperPiece) => void;
};

export type MachineStatus = {
  readonly problem: MachineProblem | "none";
  readonly bufferedBytes: number;
  readonly printedLines: number;
  readonly drawerPulses: number;
  readonly unknownCommands: number;
};

const BUFFER_BYTES = 4_096;
const LINE_DOTS = 30;
/** A timer for less than this would cost more than it models. */
const MIN_PAUSE_MS = 2;

export class Machine {
  readonly #options: MachineOptions;
  readonly #filter = new RealTimeFilter();
  readonly #parser = new EscposParser();
  readonly #paper: Paper;
  #buffer: number[] = [];
  #problem: MachineProblem | undefined;
  #due: { problem: MachineProblem; afterLines: number } | undefined;
  #printedLines = 0;
  #drawerPulses = 0;
  #unknownCommands = 0;
  #running = false;
  #held = false;
  #owedMs = 0;

  constructor(options: MachineOptions) {
    this.#options = options;
    this.#paper = new Paper(options.columns, options.fonts);
  }

  get status(): MachineStatus {
    return {
      problem: this.#problem ?? "none",
      bufferedBytes: this.#buffer.length,
      printedLines: this.#printedLines,
      drawerPulses: this.#drawerPulses,
      unknownCommands: this.#unknownCommands,
    };
  }

  receive(bytes: Uint8Array): void {
    for (const item of this.#filter.take(bytes)) {
      if (item.kind === "data") this.#buffer.push(item.byte);
      else this.#obey(item.command);
    }
    this.#regulate();
    this.#start();
  }

  /** At once, or when so many more lines are on the paper. */
  fail(problem: MachineProblem, afterLines = 0): void {
    if (afterLines > 0) this.#due = { problem, afterLines };
    else this.#stop(problem);
  }

  /** A new roll, the cover closed, switched on: carries on with what it has received. */
  repair(): void {
    // The end of an old roll is torn off when the new one is put in.
    if (this.#problem === "paper-out" && !this.#paper.blank) this.#options.onPiece(this.#paper.tear(false));
    this.#problem = undefined;
    this.#due = undefined;
    this.#regulate();
    this.#start();
  }

  #stop(problem: MachineProblem): void {
    this.#problem = problem;
    this.#due = undefined;
    this.#regulate();
  }

  #regulate(): void {
    const wanted = this.#problem === "offline" || this.#buffer.length >= BUFFER_BYTES;
    if (wanted === this.#held) return;
    this.#held = wanted;
    this.#options.hold(wanted);
  }

  #obey(command: RealTimeCommand): void {
    if (this.#problem === "offline") return;
    switch (command.kind) {
      case "status":
        this.#options.answer(Uint8Array.of(statusByte(command.n, this.#problem)));
        return;
      case "clear":
        if (!this.#options.clears) return;
        this.#buffer = [];
        this.#parser.reset();
        this.#paper.clearLine();
        // "Clear response" of DLE DC4 function 8.
        this.#options.answer(Uint8Array.of(0x37, 0x25, 0));
        return;
      case "recover":
        return;
    }
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#work();
  }

  async #work(): Promise<void> {
    while (this.#problem === undefined) {
      const byte = this.#buffer.shift();
      if (byte === undefined) break;
      for (const operation of this.#parser.feed(byte)) await this.#carryOut(operation);
      this.#regulate();
    }
    this.#running = false;
  }

  async #carryOut(operation: Operation): Promise<void> {
    const moved = this.#paper.apply(operation);
    if (operation.kind === "report") this.#options.answer(Uint8Array.of(0));
    if (operation.kind === "drawer") this.#drawerPulses += 1;
    if (operation.kind === "unknown") this.#unknownCommands += 1;
    if (moved > 0) await this.#advance(moved);
    if (operation.kind === "cut" && !this.#paper.blank) this.#options.onPiece(this.#paper.tear(true));
  }

  async #advance(dots: number): Promise<void> {
    this.#printedLines += 1;
    this.#owedMs += (dots / LINE_DOTS / this.#options.linesPerSecond) * 1_000;
    if (this.#owedMs >= MIN_PAUSE_MS) {
      const pauseMs = this.#owedMs;
      this.#owedMs = 0;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
    const due = this.#due;
    if (due === undefined) return;
    if (due.afterLines > 1) this.#due = { ...due, afterLines: due.afterLines - 1 };
    else this.#stop(due.problem);
  }
}

/** The fixed bits of every answer are 0xx1xx10. */
function statusByte(n: 1 | 2 | 3 | 4, problem: MachineProblem | undefined): number {
  const fixed = 0b0001_0010;
  switch (n) {
    case 1:
      return problem === undefined ? fixed : fixed | 0x08;
    case 2:
      return fixed | (problem === "cover-open" ? 0x04 : 0) | (problem === "paper-out" ? 0x20 : 0);
    case 3:
      return fixed;
    case 4:
      return problem === "paper-out" ? fixed | 0x6c : fixed;
  }
}
