/** The printer at the counter: what waits, in which order it comes, and that every print ends in one word. */
import { describe, expect, test } from "vitest";
import { Fault } from "../../daemon/core/fault.ts";
import type { Paper as PaperContent } from "../../daemon/core/receipt.ts";
import { Paper } from "../../daemon/shell/counter/paper.ts";
import type { PrinterCommand, PrinterEvent } from "../../drivers/driver.ts";
import { CAFE_DAY, CAFE_RECEIPT, CAFE_SLIP } from "../support/receipts.ts";

const receipt = (saleId: string, copy = false): PaperContent => ({
  kind: "receipt",
  receipt: { ...CAFE_RECEIPT, saleId, copy },
});
const slip = (timeMs: number): PaperContent => ({ kind: "refund", slip: { ...CAFE_SLIP, timeMs } });
const day = (number: number): PaperContent => ({ kind: "day", report: { ...CAFE_DAY, day: number } });

class Bench {
  readonly commands: string[] = [];
  readonly words: string[] = [];
  refuse: unknown = null;
  #emit: (event: PrinterEvent) => void = () => undefined;
  #state: (state: { readonly kind: string }) => void = () => undefined;
  readonly paper = new Paper(
    {
      command: (command: PrinterCommand) => {
        this.commands.push(command.id);
        return this.refuse === null ? Promise.resolve() : Promise.reject(this.refuse);
      },
      onEvent: (listener) => {
        this.#emit = listener;
      },
      onState: (listener) => {
        this.#state = listener;
      },
    },
    {
      printed: (id, paper) => this.words.push(`${id} printed (${paper.kind})`),
      failed: (id, reason, moved) => this.words.push(`${id} ${reason}${moved ? ", paper moved" : ""}`),
      fault: (code) => this.words.push(code),
    },
  );

  constructor() {
    this.paper.start();
  }

  comesOut(id: string): this {
    this.#emit({ kind: "printed", id });
    return this;
  }

  fails(id: string, paperMoved: boolean): this {
    this.#emit({ kind: "print-failed", id, reason: "paper-out", paperMoved });
    return this;
  }

  says(event: PrinterEvent): this {
    this.#emit(event);
    return this;
  }

  restarts(): this {
    this.#state({ kind: "restarting" });
    return this;
  }
}

describe("one paper at a time", () => {
  test("the next is sent when the printer has said what became of the one before", () => {
    const bench = new Bench();
    bench.paper.print("a", receipt("1"));
    bench.paper.print("b", day(1));
    bench.paper.print("c", slip(1));
    expect(bench.commands).toEqual(["a"]);
    expect(bench.comesOut("a").commands).toEqual(["a", "b"]);
    expect(bench.fails("b", true).commands).toEqual(["a", "b", "c"]);
    expect(bench.comesOut("c").words).toEqual([
      "a printed (receipt)",
      "b paper-out, paper moved",
      "c printed (refund)",
    ]);
  });

  test("a customer's receipt comes before what staff asked for, behind receipts that wait", () => {
    const bench = new Bench();
    bench.paper.print("day", day(1));
    bench.paper.print("reprint", receipt("old", true));
    bench.paper.print("slip", slip(1));
    bench.paper.print("first", receipt("1"));
    bench.paper.print("second", receipt("2"));
    for (const id of ["day", "first", "second", "reprint", "slip"]) bench.comesOut(id);
    expect(bench.commands).toEqual(["day", "first", "second", "reprint", "slip"]);
  });

  test("the same order twice is taken once, at the printer and waiting", () => {
    const bench = new Bench();
    for (const id of ["a", "a"]) bench.paper.print(id, receipt("1"));
    for (const id of ["b", "b"]) bench.paper.print(id, day(1));
    bench.comesOut("a").comesOut("b");
    expect(bench.commands).toEqual(["a", "b"]);
    expect(bench.words).toHaveLength(2);
  });

  test.each([
    ["receipt", receipt("1"), receipt("1", true)],
    ["slip", slip(1), slip(1)],
    ["report", day(1), day(1)],
  ])("a new attempt takes the place of a %s that still waits", (_, earlier, later) => {
    const bench = new Bench();
    bench.paper.print("at-the-printer", receipt("0"));
    bench.paper.print("earlier", earlier);
    bench.paper.print("later", later);
    expect(bench.words).toEqual(["earlier offline"]);
    bench.comesOut("at-the-printer").comesOut("later");
    expect(bench.commands).toEqual(["at-the-printer", "later"]);
  });

  test("too many are refused at once and the others go on", () => {
    const bench = new Bench();
    for (let number = 0; number <= 17; number += 1) bench.paper.print(`p${number}`, day(number));
    expect(bench.words).toEqual(["p17 offline"]);
    for (let number = 0; number <= 16; number += 1) bench.comesOut(`p${number}`);
    expect(bench.commands).toHaveLength(17);
    expect(bench.words).toHaveLength(18);
  });
});

describe("exactly one word about a print", () => {
  test.each([
    ["never reached the printer", new Fault("process.exited", "", { retry: "safe" }), "a offline"],
    ["may have reached it", new Fault("process.hung", "", { retry: "unknown" }), "a offline, paper moved"],
    ["failed in a way nobody knows", new Error("?"), "a offline, paper moved"],
  ])("whose command %s", async (_, refusal, word) => {
    const bench = new Bench();
    bench.refuse = refusal;
    bench.paper.print("a", receipt("1"));
    await Promise.resolve();
    expect(bench.comesOut("a").words).toEqual([word]);
  });

  test("a printer process that dies: the one at the printer is unknown, the next goes to it as it is", () => {
    const bench = new Bench();
    bench.paper.print("a", receipt("1"));
    bench.paper.print("b", day(1));
    bench.restarts();
    expect(bench.words).toEqual(["a offline, paper moved"]);
    expect(bench.comesOut("a").comesOut("b").words).toEqual(["a offline, paper moved", "b printed (day)"]);
  });

  test("news of a print that nobody waits for changes nothing; faults are passed on", () => {
    const bench = new Bench();
    bench.restarts().fails("x", true).comesOut("x").says({ kind: "recovered" });
    bench.says({ kind: "fault", code: "printer.paper-out", detail: "" });
    expect(bench.words).toEqual(["printer.paper-out"]);
  });
});
