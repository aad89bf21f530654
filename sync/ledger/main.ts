/** The ledger's process: the only reader of its command line and of signals. Logs go to stdout as JSON lines. */
import { Command } from "commander";
import { pino } from "pino";
import { Fault } from "../../daemon/core/fault.ts";
import { Ledger } from "./ledger.ts";
import { readLedgerSettings } from "./settings.ts";

/** A stop that takes longer than this is cut off; everything committed stays. */
const STOP_LIMIT_MS = 15_000;

type Options = { readonly config: string; readonly check?: true };

async function run({ config, check }: Options): Promise<void> {
  const settings = readLedgerSettings(config);
  if (check) {
    process.stdout.write(`${config}: no mistakes\n`);
    return;
  }
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

function fail(fault: unknown): void {
  const text = fault instanceof Fault ? fault.message : fault instanceof Error ? fault.stack : String(fault);
  process.stderr.write(`saypay ledger: ${text}\n`);
  process.exitCode = 1;
}

const program = new Command("ledger")
  .description("The Saypay ledger: clears what terminals sell, at most once, and keeps the books.")
  .requiredOption("--config <file>", "settings file (see sync/ledger/ledger.example.yaml)")
  .option("--check", "only read the settings and list their mistakes")
  .action(async (options: Options) => run(options));

program.parseAsync().catch(fail);
