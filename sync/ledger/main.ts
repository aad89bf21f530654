/** The ledger's process: the only reader of its command line and of signals. Logs go to stdout as JSON lines. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { pino } from "pino";
import { Fault } from "../../daemon/core/fault.ts";
import { BOOKS_FILE, Ledger } from "./ledger.ts";
import { type LedgerSettings, readLedgerSettings } from "./settings.ts";
import { SqliteLedgerStorage } from "./storage-sqlite.ts";

/** A stop that takes longer than this is cut off; everything committed stays. */
const STOP_LIMIT_MS = 15_000;

/** sysexits.h: EX_CONFIG, a person has to act (the unit leaves it stopped); EX_TEMPFAIL, starting again may help. */
const EXIT_SETTINGS = 78;
const EXIT_BOOKS = 75;

type Options = { readonly config: string; readonly check?: true; readonly verify?: true };

async function run({ config, check, verify }: Options): Promise<void> {
  const settings = settingsOf(config);
  if (settings === null) return;
  if (check) {
    process.stdout.write(`${config}: no mistakes\n`);
    return;
  }
  if (verify) return verifyBooks(join(settings.data, BOOKS_FILE));
  const log = pino({ name: "ledger", level: settings.log.level });
  const ledger = new Ledger(settings, log);
  let stopping: Promise<void> | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping !== undefined) return;
    log.info({ signal }, "stopping");
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    stopping = started.then(() => ledger.stop()).then(() => log.info({}, "stopped"));
    stopping.catch((fault: unknown) => fail(fault));
  };
  const started = ledger.start().then(() => undefined);
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  await started;
}

/** Null when the file has mistakes, which have been said. */
function settingsOf(config: string): LedgerSettings | null {
  try {
    return readLedgerSettings(config);
  } catch (fault) {
    fail(fault);
    process.exitCode = EXIT_SETTINGS;
    return null;
  }
}

/** Checks a ledger that is not running: the audit chain against itself and the charges, and the balance. */
function verifyBooks(path: string): void {
  if (!existsSync(path)) throw new Fault("settings.invalid", `${path} does not exist; nothing to verify`);
  const storage = new SqliteLedgerStorage(path);
  storage.open();
  const audit = storage.verify();
  const { balanced } = storage.statement({ limit: 1 });
  storage.close();
  const whole = balanced && audit.firstBroken === null && audit.strayed.length === 0;
  process.stdout.write(`${JSON.stringify({ whole, balanced, audit })}\n`);
  if (!whole) process.exitCode = 1;
}

function fail(fault: unknown): void {
  const text = fault instanceof Fault ? fault.message : fault instanceof Error ? fault.stack : String(fault);
  process.stderr.write(`saypay ledger: ${text}\n`);
  const code = fault instanceof Fault ? fault.code : null;
  process.exitCode = code === "journal.locked" || code === "journal.unwritable" ? EXIT_BOOKS : 1;
}

const program = new Command("ledger")
  .description("The Saypay ledger: clears what terminals sell, at most once, and keeps the books.")
  .requiredOption("--config <file>", "settings file (see sync/ledger/ledger.example.yaml)")
  .option("--check", "only read the settings and list their mistakes")
  .option("--verify", "check the books of a ledger that is stopped: audit chain, states, balance")
  .addHelpText(
    "after",
    `
Exit status: 0 stopped on request, ${EXIT_SETTINGS} settings have mistakes, ${EXIT_BOOKS} the books are locked or cannot
be written, 1 another fault.`,
  )
  .action(async (options: Options) => run(options));

program.parseAsync().catch(fail);
