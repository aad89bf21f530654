#!/usr/bin/env node
/**
 * `npm run --silent hear -- [--lang ko] [--menu FILE] FILE.wav...`: what the terminal would hear in recordings.
 *
 * Every file goes through the daemon's own ear in frames of 20 ms, as fast as the machine can, with silence after it as
 * a microphone would deliver. One line of JSON a file; latencyMs is what remained to be done after the file's last frame.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { Fault } from "../../daemon/core/fault.ts";
import type { Language, Menu } from "../../daemon/core/menu.ts";
import { readMenu } from "../../daemon/menu-file.ts";
import { packageFile } from "../package-file.ts";
import { type Heard, Listener } from "./listener.ts";
import { orderedItems } from "./ordered-items.ts";
import { readWav } from "./wav.ts";

type Arguments = {
  readonly lang: Language;
  readonly menu: string;
  readonly model: string;
  readonly threads: number;
};

function lineOf(file: string, menu: Menu, heard: Heard): object {
  const edits = heard.turns.flatMap(({ intent }) => (intent.kind === "edit" ? intent.edits : []));
  const intents = heard.turns.map(({ intent }) => intent.kind);
  return {
    file,
    transcript: heard.transcript,
    intent: edits.length > 0 ? "edit" : (intents.at(-1) ?? null),
    items: orderedItems(menu, edits),
    confidence: Number(heard.confidence.toFixed(3)),
    latencyMs: Number(heard.latencyMs.toFixed(1)),
  };
}

async function hearFile(listener: Listener, file: string, menu: Menu): Promise<object> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    return { file, error: `cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
  const sound = readWav(bytes);
  if (sound.kind === "unreadable") return { file, error: sound.reason };
  return lineOf(file, menu, await listener.hear(sound.samples));
}

async function hear(files: readonly string[], given: Arguments): Promise<number> {
  const menu = readMenu(given.menu);
  const listener = await Listener.open({
    modelDirectory: given.model,
    language: given.lang,
    menu,
    endpointing: "default",
    threads: given.threads,
  });
  let status = 0;
  for (const file of files) {
    const line = await hearFile(listener, file, menu);
    if ("error" in line) status = 1;
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
  await listener.close();
  return status;
}

function threadCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 16) throw new InvalidArgumentError("give 1 to 16");
  return count;
}

const command = new Command("hear")
  .description("Prints what the terminal understands in recordings, one line of JSON a file.")
  .argument("<file...>", "WAV files, one utterance each: PCM or float, any rate, mono or more")
  .addOption(new Option("--lang <language>", "language that is spoken").choices(["ko", "en"]).default("ko"))
  .option("--menu <file>", "menu in YAML", packageFile("daemon/menu.example.yaml"))
  .option("--model <folder>", "folder of the acoustic model", packageFile("models/bundled/hearing"))
  .option("--threads <count>", "processor threads for the acoustic model", threadCount, 2)
  .action(async (files: readonly string[], given: Arguments) => {
    process.exitCode = await hear(files, { ...given, menu: path.resolve(given.menu) });
  });

try {
  await command.parseAsync();
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`hear: ${error.message}\n`);
  process.exitCode = 1;
}
