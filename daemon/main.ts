#!/usr/bin/env node
/**
 * saypayd: the terminal daemon. The only reader of arguments and environment; it starts one Terminal, tells systemd
 * when it is ready, and stops it cleanly on SIGTERM and SIGINT.
 */
import { execFile } from "node:child_process";
import { Command } from "commander";
import { pino } from "pino";
import { loadCardKeys } from "../drivers/card-reader/keys.ts";
import { readConfig } from "./config.ts";
import { Fault } from "./core/fault.ts";
import { readLedgerKeyFile } from "./ledger-key.ts";
import { settingsPage } from "./settings-page.ts";
import { Terminal } from "./terminal.ts";

/** sysexits.h: EX_CONFIG, a person has to act; EX_TEMPFAIL, starting again may help. */
const EXIT_SETTINGS = 78;
const EXIT_JOURNAL = 75;
const EXIT_FAULT = 1;
/** A stop that takes longer than this is cut short; the journal is safe at any moment. */
const STOP_LIMIT_MS = 10_000;

type Options = { config?: string; check?: boolean; printSettings?: boolean };

const command = new Command("saypayd")
  .description("The Saypay terminal: takes spoken orders, reads them back, takes a card, prints a receipt.")
  .option("-c, --config <file>", "settings file (YAML)")
  .option("--check", "check the settings, the menu and the key files, then exit")
  .option("--print-settings", "print every setting with its default, then exit")
  .addHelpText(
    "after",
    `
Exit status: 0 stopped on request, ${EXIT_SETTINGS} settings have mistakes, ${EXIT_JOURNAL} the journal is locked or
cannot be written, ${EXIT_FAULT} another fault.

  npm start -- --config daemon/saypay.example.yaml`,
  )
  .showHelpAfterError();

async function main(options: Options): Promise<void> {
  if (options.printSettings === true) return void process.stdout.write(settingsPage());
  if (options.config === undefined) return command.error("error: --config FILE is needed");
  const config = readConfig(options.config);
  if (options.check === true) {
    // What the daemon would stop at, or a device would wait for in vain.
    readLedgerKeyFile(config.ledger.publicKey);
    loadCardKeys(config.cardReader);
    return void process.stdout.write(`${options.config} is valid\n`);
  }

  const log = pino({ name: "saypayd", level: config.log.level, base: { terminal: config.terminal } });
  let stopping: Promise<void> | null = null;
  const stop = (status: number, why: string): void => {
    if (stopping !== null) return;
    log.info({ why }, "stopping");
    notifySystemd("--stopping");
    const limit = setTimeout(() => process.exit(status), STOP_LIMIT_MS);
    stopping = terminal.stop().then(
      () => {
        clearTimeout(limit);
        log.info("stopped");
        process.exit(status);
      },
      (cause: unknown) => {
        log.error({ err: cause }, "stopping failed");
        process.exit(EXIT_FAULT);
      },
    );
  };
  const terminal = new Terminal(config, log, (cause) => {
    log.fatal({ err: cause }, "the journal cannot be written; nothing is sold that cannot be recorded");
    process.exit(EXIT_JOURNAL);
  });
  process.on("SIGTERM", () => stop(0, "SIGTERM"));
  process.on("SIGINT", () => stop(0, "SIGINT"));
  try {
    const { displayPort } = await terminal.start();
    log.info({ display: `http://${config.display.host}:${displayPort}`, displayPort }, "ready");
    notifySystemd("--ready");
  } catch (cause) {
    await terminal.stop().catch(() => undefined);
    throw cause;
  }
}

/** Node has no Unix datagram sockets, so systemd's own program carries the message. */
function notifySystemd(message: "--ready" | "--stopping"): void {
  if (process.env["NOTIFY_SOCKET"] === undefined) return;
  execFile("systemd-notify", [message], () => undefined);
}

function exitStatus(cause: unknown): number {
  if (!(cause instanceof Fault)) return EXIT_FAULT;
  if (cause.code === "settings.invalid") return EXIT_SETTINGS;
  return cause.code.startsWith("journal.") ? EXIT_JOURNAL : EXIT_FAULT;
}

command.action((options: Options) => main(options));
try {
  await command.parseAsync();
} catch (cause) {
  const detail = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  process.stderr.write(`saypayd: ${cause instanceof Fault ? cause.message : detail}\n`);
  process.exit(exitStatus(cause));
}
