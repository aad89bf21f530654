/**
 * The contract of a receipt printer: it says "printed" only for paper that came out, and names what is wrong otherwise.
 *
 * The suite takes a builder. The virtual printer always runs; a real one runs too when SAYPAY_REAL_PRINTER is the path of
 * its device, with the cases that need no hand on it. Assumes for a real one: paper in, cover closed, switched on.
 */
import { afterEach, describe, expect, test } from "vitest";
import type { Receipt } from "../../daemon/core/receipt.ts";
import type { Device, PrinterEvent } from "../../drivers/driver.ts";
import { escposPrinter } from "../../drivers/printer/escpos.ts";
import { CAFE_PAPER, CAFE_RECEIPT } from "../support/receipts.ts";
import { startVirtualPrinter, type VirtualPrinter } from "../support/virtual-printer.ts";

/** `hands` is what can be done to the printer; a real one has none. */
type Bench = {
  path: string;
  line: "auto" | "file";
  hands: VirtualPrinter | undefined;
  stop(): Promise<void>;
};
type Builder = (options?: { speed?: number }) => Promise<Bench>;

const virtual: Builder = async (options) => {
  const hands = await startVirtualPrinter(options);
  return { path: hands.link, line: "auto", hands, stop: () => hands.stop() };
};

/** The same device file, read and written as the USB printer class device is. */
const virtualFile: Builder = async (options) => ({ ...(await virtual(options)), line: "file" });

const EVENT_TIMEOUT_MS = 10_000;

/** A driver at a printer, and everything it said. */
class Session {
  readonly events: PrinterEvent[] = [];
  readonly bench: Bench;
  device: Device<"printer"> | undefined;

  constructor(bench: Bench) {
    this.bench = bench;
  }

  async open(timing: object = {}): Promise<this> {
    const settings = escposPrinter.settings.parse({
      path: this.bench.path,
      line: this.bench.line,
      timeZone: "Asia/Seoul",
      answerTimeoutMs: 500,
      stallTimeoutMs: 3_000,
      pollIntervalMs: 150,
      ...timing,
    });
    this.device = await escposPrinter.open(settings, (event) => this.events.push(event));
    return this;
  }

  async print(id: string, receipt: Receipt = CAFE_RECEIPT): Promise<PrinterEvent> {
    await this.device?.command({ kind: "print", id, paper: { kind: "receipt", receipt } });
    return await this.until((event) => "id" in event && event.id === id);
  }

  async until(matches: (event: PrinterEvent) => boolean): Promise<PrinterEvent> {
    const deadline = Date.now() + EVENT_TIMEOUT_MS;
    for (;;) {
      const found = this.events.find(matches);
      if (found !== undefined) return found;
      if (Date.now() > deadline) throw new Error(`not seen; events were ${JSON.stringify(this.events)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async close(): Promise<void> {
    await this.device?.close();
    await this.bench.stop();
  }
}

let session: Session | undefined;
afterEach(async () => {
  await session?.close();
  session = undefined;
});

async function start(builder: Builder, options: { speed?: number; timing?: object } = {}): Promise<Session> {
  const { timing, ...bench } = options;
  session = new Session(await builder(bench));
  return await session.open(timing);
}

function handsOf(of: Session): VirtualPrinter {
  if (of.bench.hands === undefined) throw new Error("this case needs hands on the printer");
  return of.bench.hands;
}

function contract(name: string, builder: Builder): void {
  describe(`a receipt printer (${name})`, () => {
    test("says printed after the receipt came out", async () => {
      const printer = await start(builder);
      expect(await printer.print("a")).toEqual({ kind: "printed", id: "a" });
    });

    test("prints receipts in the order of their commands", async () => {
      const printer = await start(builder);
      const ids = ["a", "b", "c"];
      await Promise.all(ids.map((id) => printer.print(id)));
      expect(printer.events.flatMap((event) => ("id" in event ? [event.id] : []))).toEqual(ids);
    });

    test("answers a repeated command without printing again", async () => {
      const printer = await start(builder);
      await printer.print("a");
      const before = printer.bench.hands?.papers().length;
      await printer.print("a");
      await printer.device?.command({ kind: "print", id: "a", paper: CAFE_PAPER });
      expect(printer.events.filter((event) => event.kind === "printed").length).toBe(3);
      expect(printer.bench.hands?.papers().length).toBe(before);
    });
  });
}

const VIRTUAL_LINES = [
  ["virtual, serial", virtual],
  ["virtual, device file", virtualFile],
] as const;

for (const [name, builder] of VIRTUAL_LINES) contract(name, builder);

describe("a receipt printer in trouble (virtual)", () => {
  test.each([
    ["paper-out", "printer.paper-out"],
    ["cover-open", "printer.cover-open"],
    ["offline", "printer.offline"],
  ] as const)("%s before a receipt: fails without paper, then works again", async (problem, code) => {
    const printer = await start(virtual);
    await handsOf(printer).act(problem);
    await printer.until((event) => event.kind === "fault" && event.code === code);
    expect(await printer.print("a")).toEqual({
      kind: "print-failed",
      id: "a",
      reason: problem,
      paperMoved: false,
    });
    expect(handsOf(printer).papers()).toEqual([]);
    await handsOf(printer).act("ok");
    await printer.until((event) => event.kind === "recovered");
    expect(await printer.print("b")).toEqual({ kind: "printed", id: "b" });
  });

  test.each(["paper-out", "cover-open", "offline"] as const)(
    "%s in the middle: fails with paper moved, and the next attempt is a whole COPY",
    async (problem) => {
      const printer = await start(virtual, { speed: 150 });
      const hands = handsOf(printer);
      await hands.act(problem, { afterLines: 9 });
      expect(await printer.print("a")).toEqual({
        kind: "print-failed",
        id: "a",
        reason: problem,
        paperMoved: true,
      });
      await hands.act("ok");
      await printer.until((event) => event.kind === "recovered");
      expect(await printer.print("a-copy", { ...CAFE_RECEIPT, copy: true })).toMatchObject({
        kind: "printed",
      });
      const papers = hands.papers();
      const copies = papers.filter((paper) => paper.lines.some((line) => line.includes("COPY")));
      const whole = papers.filter((paper) => paper.qr.length > 0);
      expect(copies.length).toBe(1);
      expect(whole).toEqual(copies);
      expect(copies[0]?.lines.filter((line) => line.includes("주문번호")).length).toBe(1);
    },
  );

  test("paper that runs out while the last lines print is no printed receipt", async () => {
    const printer = await start(virtual);
    await handsOf(printer).act("paper-out", { afterLines: 38 });
    const lines = (await printer.print("a")) && (await handsOf(printer).status()).printedLines;
    expect(lines).toBe(38);
    expect(printer.events.filter((event) => event.kind === "printed")).toEqual([]);
  });

  test("reports each trouble once, however often it looks", async () => {
    const printer = await start(virtual);
    await handsOf(printer).act("cover-open");
    await printer.until((event) => event.kind === "fault");
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(printer.events.map((event) => event.kind)).toEqual(["fault"]);
  });

  test("refuses to open what is not there", async () => {
    const settings = escposPrinter.settings.parse({ path: "/dev/saypay-no-such-printer" });
    await expect(escposPrinter.open(settings, () => undefined)).rejects.toMatchObject({
      code: "printer.offline",
    });
  });

  test("close is idempotent and lets the next driver in", async () => {
    const printer = await start(virtual);
    await printer.device?.close();
    await printer.device?.close();
    await expect(
      printer.device?.command({ kind: "print", id: "a", paper: CAFE_PAPER }),
    ).rejects.toMatchObject({ code: "printer.offline" });
    await printer.open();
    expect(await printer.print("b")).toEqual({ kind: "printed", id: "b" });
  });
});

describe.each(VIRTUAL_LINES)("a receipt printer that is pulled out (%s)", (_name, builder) => {
  test("unplugged: a fault, receipts fail at once, and after plugging in again it prints", async () => {
    const printer = await start(builder);
    const hands = handsOf(printer);
    await hands.unplug();
    await printer.until((event) => event.kind === "fault" && event.code === "printer.offline");
    expect(await printer.print("a")).toMatchObject({
      kind: "print-failed",
      reason: "offline",
      paperMoved: false,
    });
    await hands.plugIn();
    await printer.until((event) => event.kind === "recovered");
    expect(await printer.print("b")).toEqual({ kind: "printed", id: "b" });
  });

  test("unplugged in the middle: fails with paper moved", async () => {
    const printer = await start(builder, { speed: 20 });
    const outcome = printer.print("a");
    while ((await handsOf(printer).status()).printedLines < 5) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await handsOf(printer).unplug();
    expect(await outcome).toMatchObject({ kind: "print-failed", reason: "offline", paperMoved: true });
  });
});

const realPath = process.env["SAYPAY_REAL_PRINTER"];
if (realPath === undefined) {
  console.warn(
    "printer contract: no real printer (set SAYPAY_REAL_PRINTER to its device to run the suite on it)",
  );
} else {
  contract("real", () =>
    Promise.resolve({ path: realPath, line: "auto", hands: undefined, stop: () => Promise.resolve() }),
  );
}
