/**
 * The virtual receipt printer: a program with a device file at one side and paper at the other.
 *
 *   node dist/drivers/printer/virtual/main.js --out DIR --link PATH [--columns 42] [--speed 30] [--control-port 0]
 *
 * PATH becomes the printer's device; each receipt is written to DIR as receipt-0001.png with receipt-0001.json (its
 * text) beside it. Prints one JSON line `ready` with the control address, and one `receipt` for each piece of paper.
 */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type { PaperColumns } from "../composition.ts";
import { findFonts } from "../fonts.ts";
import { openControl } from "./control.ts";
import { Machine } from "./machine.ts";
import type { PaperPiece } from "./paper.ts";
import { openPseudoTerminal, type PseudoTerminal } from "./pseudo-terminal.ts";

type Options = {
  out: string;
  link: string;
  columns: PaperColumns;
  speed: number;
  clear: boolean;
  controlPort: number;
};

const program = new Command("virtual-printer")
  .description("a receipt printer at the end of a pseudo-terminal")
  .requiredOption("--out <directory>", "where the paper goes")
  .requiredOption("--link <path>", "the device file to make")
  .option("--columns <n>", "32, 42 or 48", readColumns, 42 as PaperColumns)
  .option("--speed <lines>", "lines a second", readCount(1, 10_000), 30)
  .option("--no-clear", "does not know the command that empties its buffer, like many cheap printers")
  .option(
    "--control-port <port>",
    "loopback port for the control requests, 0 for any",
    readCount(0, 65_535),
    0,
  );

async function main(options: Options): Promise<void> {
  const out = resolve(options.out);
  mkdirSync(out, { recursive: true });
  const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  let pieces = 0;
  let terminal: PseudoTerminal | undefined;
  const machine = new Machine({
    columns: options.columns,
    fonts: findFonts(),
    linesPerSecond: options.speed,
    clears: options.clear,
    answer: (bytes) => terminal?.write(bytes),
    hold: (held) => terminal?.hold(held),
    onPiece: (piece) => {
      pieces += 1;
      say({ kind: "receipt", ...writePiece(out, pieces, piece) });
    },
  });
  const link = resolve(options.link);
  terminal = await openPseudoTerminal(
    link,
    (bytes) => machine.receive(bytes),
    () => process.exit(1),
  );
  const control = await openControl(machine, options.controlPort, () => pieces);
  const stop = (): void => {
    terminal?.close();
    void control.close().then(() => process.exit(0));
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
  say({ kind: "ready", link, out, columns: options.columns, control: `http://127.0.0.1:${control.port}` });
}

/** The JSON appears last and whole, so that whoever waits for it finds the picture too. */
function writePiece(
  out: string,
  index: number,
  piece: PaperPiece,
): { png: string; json: string; cut: boolean } {
  const base = join(out, `receipt-${String(index).padStart(4, "0")}`);
  const json = `${base}.json`;
  writeFileSync(`${base}.png`, piece.png);
  const { cut, qr, lines } = piece;
  const content = { png: `${base}.png`, cut, qr, lines: lines.map((line) => line.text), printed: lines };
  writeFileSync(`${json}.new`, `${JSON.stringify(content, null, 2)}\n`);
  renameSync(`${json}.new`, json);
  return { png: `${base}.png`, json, cut };
}

function readColumns(value: string): PaperColumns {
  const columns = ([32, 42, 48] as const).find((candidate) => String(candidate) === value);
  if (columns === undefined) throw new InvalidArgumentError("32, 42 or 48");
  return columns;
}

function readCount(least: number, most: number): (value: string) => number {
  return (value) => {
    const count = Number(value);
    if (Number.isInteger(count) && count >= least && count <= most) return count;
    throw new InvalidArgumentError(`a whole number from ${least} to ${most}`);
  };
}

try {
  await main(program.parse().opts<Options>());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
