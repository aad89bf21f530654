#!/usr/bin/env node
/**
 * saypay: the command line of counter staff and operators. It talks to the running terminal over the socket in its data
 * folder; only `journal` works on the files of one that is stopped. Paper comes out at the counter.
 */
import { createInterface } from "node:readline/promises";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { Fault } from "../core/fault.ts";
import type { DeskRequest } from "../shell/staff-desk.ts";
import { MAXIMUM_SALES } from "../staff-requests.ts";
import { ageText, amountText } from "./amounts.ts";
import { askTerminal, type Received } from "./client.ts";
import { Complaint, EXIT, EXIT_HELP, type ExitStatus } from "./exit-status.ts";
import { adopt, adoptedText, verifyJournal } from "./journal.ts";
import { placeOf } from "./place.ts";
import { sentenceOf } from "./sentences.ts";

type Common = { config?: string; data?: string; json?: boolean };
type Answers = { wait: number };

const DEFAULT_SALES = 20;
/** How long void and refund wait for the ledger's word unless told otherwise. */
const DEFAULT_WAIT_S = 20;
const LONGEST_WAIT_S = 3_600;

const SALE_HELP = "its number of today, its id, or the beginning of its id (four characters or more)";

const program = new Command("saypay")
  .description("What staff does at a Saypay terminal besides selling.")
  .enablePositionalOptions()
  .addHelpText(
    "after",
    `
Every command needs --config FILE (the terminal's settings) or, but for journal, --data FOLDER (its data folder); the
environment variable SAYPAY_CONFIG may name the settings once for all. --json prints what the terminal answers as lines of JSON, with amounts
in minor units as decimal strings.
${EXIT_HELP}

Examples:
  saypay sales --config saypay.yaml
  saypay refund 27 --amount 4,500 --config saypay.yaml
  saypay close-day --data /var/lib/saypay`,
  )
  .showHelpAfterError("(saypay --help says more)")
  .exitOverride();

function sub(parent: Command, name: string, description: string, example: string): Command {
  const command = parent
    .command(name)
    .description(description)
    .addOption(new Option("-c, --config <file>", "the terminal's settings").env("SAYPAY_CONFIG"))
    .option("--json", "print the answers as lines of JSON")
    .addHelpText("after", `\nExample:\n  ${example}`)
    .exitOverride();
  // A journal is opened as its terminal's, and the folder does not say whose it is.
  if (parent === program)
    command.option("-d, --data <folder>", "the terminal's data folder, instead of its settings");
  return command;
}

function count(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`A whole number from ${least} to ${most} is needed.`);
    return value;
  };
}

const wait = (): Option =>
  new Option("--wait <seconds>", "how long to wait for the ledger's answer")
    .argParser(count(0, LONGEST_WAIT_S))
    .default(DEFAULT_WAIT_S);

sub(
  program,
  "sales",
  "List the most recent paid sales, newest first.",
  "saypay sales --limit 50 -c saypay.yaml",
)
  .option("-l, --limit <count>", "how many", count(1, MAXIMUM_SALES), DEFAULT_SALES)
  .action((options: Common & { limit: number }) => tell(options, { kind: "sales", limit: options.limit }));

sub(program, "void", "Take a whole sale of the open day back.", "saypay void 27 -c saypay.yaml")
  .argument("<sale>", SALE_HELP)
  .addOption(wait())
  .action((sale: string, options: Common & Answers) => tell(options, { kind: "void", sale }, options.wait));

sub(
  program,
  "refund",
  "Give all or part of a sale back. Without --amount: all that is left.",
  "saypay refund 3f2a9c1e --amount 4,500 -c saypay.yaml",
)
  .argument("<sale>", `${SALE_HELP}; the whole id for a sale of another terminal`)
  .option("-a, --amount <amount>", "like 4500, 4,500 or 45.00")
  .addOption(wait())
  .action((sale: string, options: Common & Answers & { amount?: string }) =>
    tell(options, { kind: "refund", sale, amount: options.amount ?? null }, options.wait),
  );

sub(program, "reprint", "Print a sale's receipt again, marked COPY.", "saypay reprint 27 -c saypay.yaml")
  .argument("<sale>", SALE_HELP)
  .action((sale: string, options: Common) => tell(options, { kind: "reprint", sale }));

sub(
  program,
  "close-day",
  "Close the business day and print its report. The next sale begins the next day.",
  "saypay close-day -c saypay.yaml",
)
  .addOption(new Option("--language <language>", "of the report").choices(["ko", "en", "zh"]))
  .action((options: Common & { language?: "ko" | "en" | "zh" }) =>
    tell(options, { kind: "close-day", language: options.language ?? null }),
  );

sub(
  program,
  "open",
  "List what waits for the ledger, and what it will never take, with ages.",
  "saypay open -c saypay.yaml",
).action((options: Common) => tell(options, { kind: "open" }));

sub(
  program,
  "dismiss",
  "Stop waiting for the ledger's word on one charge or refund, because you found out otherwise what became of it.",
  "saypay dismiss 3f2a9c1e-0b7d-4c55-9d0e-1a2b3c4d5e6f/1 -c saypay.yaml",
)
  .argument("<key>", "the key that `saypay open` lists, or its beginning when no other begins like it")
  .option("-y, --yes", "do not ask for confirmation")
  .action(dismiss);

sub(
  program,
  "status",
  "Say whether the terminal may sell, and what waits.",
  "saypay status -c saypay.yaml",
).action((options: Common) => tell(options, { kind: "status" }));

const journal = program.command("journal").description("Work on the journal of a terminal that is stopped.");
sub(
  journal,
  "verify",
  "Check the whole journal: its file, and the hash chain over every event.",
  "saypay journal verify -c saypay.yaml",
).action((options: Common) => {
  const { events } = verifyJournal(placeOf(named(options)));
  say(options, { kind: "verified", events }, `the journal is whole: ${events} events`);
});

sub(
  journal,
  "adopt",
  "Go on with a journal that the ledger does not accept (a copy, an old backup, a new one), as its successor.",
  "saypay journal adopt -c saypay.yaml",
)
  .option("--predecessor <id>", "the journal that the ledger knows, when this one is new or lost")
  .option("-y, --yes", "do not ask for confirmation")
  .action(adoptHere);

/** --data says more than a settings file that the environment names. */
function named(options: Common): Common {
  const { config, data, json = false } = options;
  if (data !== undefined) return { data, json };
  return config === undefined ? { json } : { config, json };
}

async function tell(options: Common, request: DeskRequest, waitS = 0): Promise<void> {
  const { socket } = placeOf(named(options));
  const each = (answer: Received, last: boolean): void => {
    if (options.json === true) process.stdout.write(`${JSON.stringify(answer)}\n`);
    else if (!last && waitS > 0 && process.stderr.isTTY)
      process.stderr.write("sent; waiting for the ledger ...\n");
  };
  conclude(options, await askTerminal(socket, request, waitS * 1_000, each));
}

function conclude(options: Common, answer: Received): void {
  const { text, status } = sentenceOf(answer);
  if (options.json !== true)
    (status === EXIT.done || status === EXIT.queued ? process.stdout : process.stderr).write(`${text}\n`);
  process.exitCode = status;
}

async function dismiss(name: string, options: Common & { yes?: boolean }): Promise<void> {
  const { socket } = placeOf(named(options));
  const open = await askTerminal(socket, { kind: "open" }, 0);
  if (open.kind !== "open") return conclude(options, open);
  const waiting = [...open.charges, ...open.refunds];
  const fitting = waiting.filter(({ key }) => key === name).slice(0, 1);
  if (fitting.length === 0) fitting.push(...waiting.filter(({ key }) => key.startsWith(name)));
  const [found] = fitting;
  if (found === undefined) return fail("nothing waits under that key (see: saypay open)", EXIT.unclear);
  if (fitting.length > 1) {
    const keys = fitting.map(({ key }) => key).join(", ");
    return fail(`several keys begin like that; write more of it: ${keys}`, EXIT.unclear);
  }
  const { key, amount, purpose, ageMs } = found;
  const question = `Stop waiting for ${key} (${purpose}, ${amountText(amount)}, for ${ageText(ageMs)})? Whatever the ledger says later changes nothing here. [y/N] `;
  if (options.yes !== true && !(await confirmed(question)))
    return fail("not dismissed; --yes says so without being asked", EXIT.refused);
  return tell(options, { kind: "dismiss", key });
}

async function adoptHere(options: Common & { predecessor?: string; yes?: boolean }): Promise<void> {
  const { config } = named(options);
  if (config === undefined)
    throw new Complaint(EXIT.usage, "whose journal? Name the terminal's settings with --config FILE");
  const question =
    "Is this the one machine that goes on as this terminal? Every other with its journal must be off for good. [y/N] ";
  if (options.yes !== true && !(await confirmed(question)))
    return fail("not adopted; --yes says so without being asked", EXIT.refused);
  const report = adopt(config, options.predecessor ?? null);
  say(options, { kind: "adopted", ...report }, adoptedText(report));
}

/** Without a person at a terminal nobody confirms. */
async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await dialogue.question(question)).trim());
  } finally {
    dialogue.close();
  }
}

function say(options: Common, value: object, text: string): void {
  process.stdout.write(`${options.json === true ? JSON.stringify(value) : text}\n`);
}

function fail(text: string, status: ExitStatus): void {
  process.stderr.write(`saypay: ${text}\n`);
  process.exitCode = status;
}

function statusOf(cause: unknown): ExitStatus {
  if (cause instanceof Complaint) return cause.status;
  if (!(cause instanceof Fault)) return EXIT.refused;
  if (cause.code === "settings.invalid") return EXIT.settings;
  return cause.code === "journal.damaged" ? EXIT.damaged : EXIT.busy;
}

try {
  await program.parseAsync();
} catch (cause) {
  // Commander has said what is wrong, or printed the help that was asked for.
  if (cause instanceof CommanderError) process.exitCode = cause.exitCode === 0 ? EXIT.done : EXIT.usage;
  else {
    const known = cause instanceof Fault || cause instanceof Complaint;
    fail(
      cause instanceof Error ? (known ? cause.message : (cause.stack ?? cause.message)) : String(cause),
      statusOf(cause),
    );
  }
}
