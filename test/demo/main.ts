/**
 * `npm run demo`: one spoken sale with the network, one without it, and the recovery, on real parts. Everything it
 * starts it ends, also on Ctrl-C.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { Counter } from "../support/counter.ts";
import { ROOT } from "../support/program.ts";
import { play, SCRIPTS, type Script, type Summary } from "./story.ts";
import { ms, Timeline } from "./timeline.ts";

/** How long an interrupted set-up may take to finish the step that it is in, so that the step's processes are known. */
const STEP_LIMIT_MS = 5_000;
/** Ctrl-C reaches the children too; what they do about it must not be taken for a fault of theirs. */
const SIGNAL_GRACE_MS = 100;

type Options = { json?: boolean; say?: string; lang: "ko" | "en"; out?: string; keyboard?: boolean };

const command = new Command("npm run demo --")
  .description("Shows a spoken sale end to end, an offline sale and its recovery.")
  .option("--json", "print a JSON summary as the last line")
  .option("--say <words>", "what the first customer says")
  .option("--lang <language>", "ko or en", "ko")
  .option("--keyboard", "wait for the Enter key before each sale, as a customer's button")
  .option("--out <folder>", "where receipts, sound, journal and statement go (default: artifacts/TIME)")
  .addHelpText(
    "after",
    `
  npm run demo
  npm run demo -- --say "카푸치노 세 잔 포장이요"
  npm run demo -- --lang en --say "a large iced latte and two cookies please"`,
  )
  .showHelpAfterError();

async function main(options: Options): Promise<number> {
  if (options.lang !== "ko" && options.lang !== "en") command.error("error: --lang is ko or en");
  if (options.say?.trim() === "") command.error("error: --say needs words");
  const base: Script = SCRIPTS[options.lang];
  const stamp = new Date().toISOString().replace(/[:.]/g, "-").slice(0, 19);
  const folder = resolve(options.out ?? resolve(ROOT, "artifacts", `demo-${stamp}`));
  const timeline = new Timeline((text) => process.stdout.write(text), process.stdout.isTTY === true);
  const script: Script = {
    language: base.language,
    orders: [options.say ?? base.orders[0], base.orders[1]],
    ...(options.keyboard === true ? { begin: () => enterKey(timeline) } : {}),
  };
  // Every part's temporary folder is made in this one, which goes whatever happens.
  const scratch = mkdtempSync(join(tmpdir(), "saypay-demo-"));
  process.env["TMPDIR"] = scratch;
  const counter = new Counter({ language: options.lang, printSpeed: 30 });
  const cleanUp = async (): Promise<void> => {
    await counter.stop();
    rmSync(scratch, { recursive: true, force: true });
  };
  let interrupted = false;
  let starting: Promise<unknown> = Promise.resolve();
  const interrupt = (signal: NodeJS.Signals): void => {
    if (interrupted) return;
    interrupted = true;
    timeline.line("demo", `${signal}: cleaning up`);
    void Promise.race([starting.catch(() => undefined), delay(STEP_LIMIT_MS)])
      .then(cleanUp)
      .catch(() => rmSync(scratch, { recursive: true, force: true }))
      .finally(() => process.exit(130));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    timeline.title("Setting up a counter");
    starting = counter.start((what) => {
      if (interrupted) throw new Error("interrupted");
      timeline.line("demo", `starting: ${what}`);
    });
    await starting;
    const summary = await play(counter, script, folder, timeline);
    await counter.daemon.end();
    counter.saveTo(folder);
    finish(summary, timeline, options.json === true);
    return summary.ok ? 0 : 1;
  } catch (error) {
    await delay(SIGNAL_GRACE_MS);
    if (interrupted) return 130;
    process.stderr.write(
      `\nThe demonstration failed: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.stderr.write(`Last words of the terminal:\n${counter.daemon.lastLines.slice(-15).join("\n")}\n`);
    if (options.json === true) process.stdout.write(`${JSON.stringify({ ok: false })}\n`);
    return 1;
  } finally {
    if (!interrupted) await cleanUp();
  }
}

/** Resolves with the next line from the keyboard; its end counts as one, so that nothing waits for ever. */
function enterKey(timeline: Timeline): Promise<void> {
  timeline.line("demo", "press Enter to begin the sale");
  return new Promise((resolve) => {
    process.stdin.resume();
    const done = (): void => {
      process.stdin.off("data", done).off("end", done).pause();
      resolve();
    };
    process.stdin.once("data", done).once("end", done);
  });
}

function finish(summary: Summary, timeline: Timeline, json: boolean): void {
  timeline.title(
    summary.ok ? "Done: both sales are in the ledger, once" : "Something is wrong; see the summary",
  );
  for (const sale of summary.sales) {
    const { endOfSpeechToReply, tapToApproved, approvedToPrinted } = sale.latencyMs;
    timeline.plain(
      `  ${sale.mode.padEnd(8)} ${sale.amountMinor} ${sale.currency}   reply ${ms(endOfSpeechToReply)}   ` +
        `tap to approved ${ms(tapToApproved)}   printed ${ms(approvedToPrinted)}`,
    );
  }
  timeline.plain(`  artefacts: ${summary.artifacts}`);
  if (json) timeline.plain(JSON.stringify(summary));
}

command.action(async (options: Options) => {
  process.exitCode = await main(options);
});
await command.parseAsync();
