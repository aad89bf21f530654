/**
 * The printer driver with a whole virtual printer behind a pseudo-terminal: what is on the paper as dots, and the ways
 * in which a "printed" could be false.
 */
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCanvas, loadImage } from "@napi-rs/canvas";
import { afterEach, describe, expect, test } from "vitest";
import type { Paper, Receipt } from "../../daemon/core/receipt.ts";
import type { PrinterEvent } from "../../drivers/driver.ts";
import { encodePaper } from "../../drivers/printer/codec.ts";
import { Connection } from "../../drivers/printer/connection.ts";
import { escposPrinter } from "../../drivers/printer/escpos.ts";
import { columnsOf } from "../../drivers/printer/ks-x-1001.ts";
import { layOut } from "../../drivers/printer/layout.ts";
import { openPseudoTerminal } from "../../drivers/printer/virtual/pseudo-terminal.ts";
import { RealTimeFilter } from "../../drivers/printer/virtual/real-time.ts";
import { readQr } from "../support/qr.ts";
import { CAFE_DAY, CAFE_PAPER, CAFE_RECEIPT, CAFE_SLIP, won } from "../support/receipts.ts";
import { startVirtualPrinter, type VirtualPrinter } from "../support/virtual-printer.ts";

const TIMING = { timeZone: "Asia/Seoul", answerTimeoutMs: 500, stallTimeoutMs: 3_000, pollIntervalMs: 100 };

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function startPrinter(
  options: Parameters<typeof startVirtualPrinter>[0] = {},
): Promise<VirtualPrinter> {
  const printer = await startVirtualPrinter(options);
  cleanUps.push(() => printer.stop());
  return printer;
}

type Printing = {
  print(id: string, receipt: Receipt): Promise<PrinterEvent>;
  printPaper(id: string, paper: Paper): Promise<PrinterEvent>;
  events: PrinterEvent[];
};

async function openDriver(path: string, settings: object = {}): Promise<Printing> {
  const events: PrinterEvent[] = [];
  const parsed = escposPrinter.settings.parse({ path, ...TIMING, ...settings });
  const device = await escposPrinter.open(parsed, (event) => events.push(event));
  cleanUps.push(() => device.close());
  const printPaper = async (id: string, paper: Paper): Promise<PrinterEvent> => {
    await device.command({ kind: "print", id, paper });
    return await until(() => events.find((event) => "id" in event && event.id === id));
  };
  return { events, printPaper, print: (id, receipt) => printPaper(id, { kind: "receipt", receipt }) };
}

async function until<T>(look: () => T | undefined): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error("waited 10 s in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const STAFF_PAPERS: readonly (readonly [string, Paper])[] = [
  ["a refund that waits", { kind: "refund", slip: { ...CAFE_SLIP, status: "requested" } }],
  ["a refund that is done", { kind: "refund", slip: { ...CAFE_SLIP, language: "en" } }],
  ["a void, again", { kind: "refund", slip: { ...CAFE_SLIP, purpose: "void", copy: true } }],
  ["a day", { kind: "day", report: CAFE_DAY }],
  ["a day in English", { kind: "day", report: { ...CAFE_DAY, language: "en" } }],
];

/** To be looked at by a person, when a folder is named. */
function keepPicture(png: string, name: string): void {
  const folder = process.env["SAYPAY_KEEP_PAPER"];
  if (folder !== undefined) copyFileSync(png, join(folder, name));
}

describe("the paper", () => {
  test.each([32, 42, 48] as const)(
    "of %i columns has the text of the receipt and a QR code that scans",
    async (columns) => {
      const printer = await startPrinter({ columns });
      const driver = await openDriver(printer.link, { columns });
      expect(await driver.print("a", CAFE_RECEIPT)).toMatchObject({ kind: "printed" });
      const [paper, ...more] = printer.papers();
      expect(more).toEqual([]);
      const expected = layOut(CAFE_PAPER, { columns, timeZone: "Asia/Seoul" }).flatMap((line) =>
        line.kind === "qr" ? [`[QR ${line.data}]`, ""] : [line.text],
      );
      expect(paper?.lines).toEqual(expected);
      expect(paper?.cut).toBe(true);
      expect(await readQr(paper?.png ?? "")).toBe(CAFE_RECEIPT.saleId);
      expect(await printer.status()).toMatchObject({ unknownCommands: 0 });
    },
  );

  test("shows a name that the printer has no characters for, in line with its amount", async () => {
    const printer = await startPrinter();
    const driver = await openDriver(printer.link);
    const line = { name: "똠얌꿍", options: [], quantity: 1, unitPrice: won(9_000), amount: won(9_000) };
    await driver.print("a", { ...CAFE_RECEIPT, lines: [line] });
    const [paper] = printer.papers();
    expect(paper?.lines.filter((text) => text === "[picture]").length).toBe(1);
    const row = (paper?.lines ?? []).indexOf("[picture]");
    const ink = await inkedColumns(paper?.png ?? "", (paper?.lines ?? []).slice(0, row));
    // Three two-column characters at the left, the amount up to the last column, and nothing in between.
    expect(Math.min(...ink)).toBeLessThan(2);
    expect(Math.max(...ink)).toBe(41);
    expect(ink.filter((column) => column >= 3 * columnsOf("똠") && column < 20)).toEqual([]);
  });

  test("without fonts a Chinese receipt has English words, and question marks only where the shop's names are", async () => {
    const printer = await startPrinter();
    const driver = await openDriver(printer.link, { fontDirectories: [] });
    const line = { name: "똠얌꿍", options: [], quantity: 1, unitPrice: won(9_000), amount: won(9_000) };
    await driver.print("a", { ...CAFE_RECEIPT, language: "zh", lines: [line] });
    const [paper] = printer.papers();
    expect(paper?.lines).not.toContain("[picture]");
    expect(paper?.lines).toContain("RECEIPT");
    expect(paper?.lines.filter((text) => /[?\uff1f]/.test(text))).toEqual([
      "？얌꿍                  9,000    1   9,000",
    ]);
  });

  test("opens the drawer for a first print and not for a copy", async () => {
    const printer = await startPrinter();
    const driver = await openDriver(printer.link, { drawer: "pin-2" });
    await driver.print("a", CAFE_RECEIPT);
    expect(await printer.status()).toMatchObject({ drawerPulses: 1 });
    await driver.print("a-copy", { ...CAFE_RECEIPT, copy: true });
    expect(await printer.status()).toMatchObject({ drawerPulses: 1 });
  });

  test.each(
    ([32, 42, 48] as const).flatMap((columns) =>
      STAFF_PAPERS.map(([what, paper]) => [what, columns, paper] as const),
    ),
  )("of %s in %i columns has its text, and does not open the drawer", async (_what, columns, paper) => {
    const printer = await startPrinter({ columns });
    const driver = await openDriver(printer.link, { columns, drawer: "pin-2" });
    expect(await driver.printPaper("a", paper)).toEqual({ kind: "printed", id: "a" });
    const expected = layOut(paper, { columns, timeZone: "Asia/Seoul" }).flatMap((line) =>
      line.kind === "qr" ? [`[QR ${line.data}]`, ""] : [line.text],
    );
    const [came, ...more] = printer.papers();
    expect(more).toEqual([]);
    expect(came?.lines).toEqual(expected);
    expect(came?.cut).toBe(true);
    expect(await printer.status()).toMatchObject({ unknownCommands: 0, drawerPulses: 0 });
    keepPicture(came?.png ?? "", `${paper.kind}-${_what.replaceAll(" ", "-")}-${columns}.png`);
  });
});

describe("a printer that prints the rest of a failed receipt later", () => {
  test.each([5, 20, 37])("(after %i lines) is not believed for the next one", async (afterLines) => {
    const printer = await startPrinter({ clears: false, speed: 40 });
    const driver = await openDriver(printer.link);
    await printer.act("paper-out", { afterLines });
    expect(await driver.print("a", CAFE_RECEIPT)).toMatchObject({ kind: "print-failed", paperMoved: true });
    await printer.act("ok");
    await until(() => driver.events.find((event) => event.kind === "recovered"));
    const copy = await driver.print("b", { ...CAFE_RECEIPT, copy: true });
    expect(copy).toMatchObject({ kind: "printed" });
    // When the driver says "printed", the whole copy is cut off and lies there.
    const last = printer.papers().at(-1);
    expect(last?.lines.filter((line) => line.includes("COPY")).length).toBe(2);
    expect(last?.qr).toEqual([CAFE_RECEIPT.saleId]);
  });

  test("whose copy fails too is not believed on account of old answers", async () => {
    const printer = await startPrinter({ clears: false, speed: 40 });
    const driver = await openDriver(printer.link);
    await printer.act("paper-out", { afterLines: 10 });
    await driver.print("a", CAFE_RECEIPT);
    await printer.act("ok");
    await until(() => driver.events.find((event) => event.kind === "recovered"));
    await printer.act("paper-out", { afterLines: 46 });
    expect(await driver.print("b", { ...CAFE_RECEIPT, copy: true })).toMatchObject({ kind: "print-failed" });
  });
});

/** Carries nothing out; `answers` says what comes back for the GS r of this index, counted from 0. */
async function scriptedPrinter(answers: (marker: number) => readonly number[]): Promise<{ link: string }> {
  const root = mkdtempSync(join(tmpdir(), "saypay-scripted-"));
  const link = join(root, "lp");
  const filter = new RealTimeFilter();
  let markers = 0;
  let before = [0, 0];
  const terminal = await openPseudoTerminal(
    link,
    (bytes) => {
      for (const item of filter.take(bytes)) {
        if (item.kind === "command") {
          if (item.command.kind === "status") terminal.write(Uint8Array.of(0x12));
          continue;
        }
        // GS r 1
        if (before[0] === 0x1d && before[1] === 0x72 && item.byte === 1) {
          terminal.write(Uint8Array.from(answers(markers)));
          markers += 1;
        }
        before = [before[1] ?? 0, item.byte];
      }
    },
    () => undefined,
  );
  cleanUps.push(async () => {
    terminal.close();
    rmSync(root, { recursive: true, force: true });
  });
  return { link };
}

describe("a printer that says it is well", () => {
  const markersOfReceipt = encodePaper(layOut(CAFE_PAPER, { columns: 42, timeZone: "Asia/Seoul" }), {
    columns: 42,
    fonts: { familyFor: () => undefined },
    cut: "partial",
    drawer: "none",
  }).pieces.length;

  test.each([
    ["and answers every marker", () => [0], { kind: "printed" }],
    ["with the roll near its end", () => [3], { kind: "printed" }],
    ["but never answers GS r", () => [], { kind: "print-failed", reason: "offline", paperMoved: true }],
    [
      "but finds no paper in turn",
      () => [0x0c],
      { kind: "print-failed", reason: "paper-out", paperMoved: true },
    ],
    [
      "but sends one stray byte instead of its last answers",
      (marker: number) => (marker < markersOfReceipt ? [0] : []),
      { kind: "print-failed", reason: "offline", paperMoved: true },
    ],
    ["among noise", () => [0xff, 0x11, 0, 0x13], { kind: "printed" }],
  ])("%s", async (_name, answers, expected) => {
    const { link } = await scriptedPrinter(answers);
    const driver = await openDriver(link, { stallTimeoutMs: 1_000 });
    expect(await driver.print("a", CAFE_RECEIPT)).toMatchObject(expected);
  });
});

describe("the line to the printer", () => {
  test.each(["serial", "file"] as const)(
    "(%s) gives up a write that the printer holds back, and closes at once",
    async (line) => {
      const printer = await startPrinter();
      await printer.act("offline");
      const settings = {
        path: printer.link,
        line,
        baudRate: 115_200,
        flowControl: "none",
        answerTimeoutMs: 200,
      } as const;
      let lost = 0;
      const connection = await Connection.open(settings, () => {
        lost += 1;
      });
      expect(await connection.write(new Uint8Array(1_000_000))).toBe(false);
      expect([connection.closed, lost]).toEqual([true, 1]);
      const before = Date.now();
      await connection.close();
      expect(Date.now() - before).toBeLessThan(1_000);
      expect(await connection.check()).toBe("silent");
    },
  );
});

/** Columns of 12 dots that have ink in the line after those given, all of which are of known height. */
async function inkedColumns(png: string, before: readonly string[]): Promise<number[]> {
  const image = await loadImage(png);
  const canvas = createCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  // The shop's name is double (54 dots), the order's number triple (78), every other line 30 dots; 24 dots margin.
  const heights = before.map((line) => (line === CAFE_RECEIPT.merchant.name ? 54 : line === "27" ? 78 : 30));
  const top = 24 + heights.reduce((sum, height) => sum + height, 0);
  const { data } = context.getImageData(0, top, image.width, 30);
  const columns = new Set<number>();
  for (let index = 0; index < data.length; index += 4) {
    const x = (index / 4) % image.width;
    if ((data[index] ?? 255) < 128) columns.add(Math.floor((x - 32) / 12));
  }
  return [...columns];
}
