/** `npm run --silent bench -- NAME [--json]`: one benchmark. Each lives in a file of its own and says what it measures. */
import { Command } from "commander";

export type BenchOptions = { readonly json: boolean; readonly [option: string]: unknown };
type Bench = { readonly summary: string; readonly run: (options: BenchOptions) => Promise<void> };

const BENCHES: { readonly [name: string]: () => Promise<Bench> } = {
  crash: async () => {
    const { crash, summary } = await import("./crash.ts");
    return { summary, run: crash };
  },
  drain: async () => {
    const { drain, summary } = await import("./drain.ts");
    return { summary, run: drain };
  },
  footprint: async () => {
    const { footprint, summary } = await import("./footprint.ts");
    return { summary, run: footprint };
  },
  journal: async () => {
    const { journal, summary } = await import("./journal.ts");
    return { summary, run: journal };
  },
  power: async () => {
    const { power, summary } = await import("./power.ts");
    return { summary, run: power };
  },
  recognition: async () => {
    const { recognition, summary } = await import("./recognition.ts");
    return { summary, run: recognition };
  },
  recover: async () => {
    const { recover, summary } = await import("./recover.ts");
    return { summary, run: recover };
  },
  sound: async () => {
    const { sound, summary } = await import("./sound.ts");
    return { summary, run: sound };
  },
  voice: async () => {
    const { voice, summary } = await import("./voice.ts");
    return { summary, run: voice };
  },
  wire: async () => {
    const { wire, summary } = await import("./wire.ts");
    return { summary, run: wire };
  },
};

const command = new Command("npm run --silent bench --")
  .description("Measures one thing and prints it. Machines are noisy: compare what one run prints.")
  .showHelpAfterError();

for (const [name, load] of Object.entries(BENCHES)) {
  const { summary, run } = await load();
  const sub = command.command(name).description(summary).option("--json", "print JSON", false);
  if (name === "crash")
    sub
      .option("--kills <n>", "how many processes are killed", "200")
      .option("--seed <n>", "repeats victims and moments")
      .option("--keep", "keep the folder of a good run too");
  if (name === "journal") sub.option("--sales <n>", "how many sales, a multiple of 5", "200");
  if (name === "drain") sub.option("--sales <n>", "how many sales are queued", "10000");
  if (name === "recover") sub.option("--sales <n>", "how many sales are in the journal", "100000");
  if (name === "power")
    sub
      .option("--cuts <n>", "how many times the power goes", "5000")
      .option("--seed <n>", "repeats sales, moments and losses", "1");
  if (name === "recognition") sub.option("--data <folder>", "folder of WAV files with labels.json");
  if (name === "voice") sub.option("--orders <n>", "how many orders", "50");
  sub.action((options: BenchOptions) => run(options));
}
try {
  await command.parseAsync();
} catch (cause) {
  // What was asked for cannot be measured, or did not hold: the sentence says it, a stack would hide it.
  process.stderr.write(`bench: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  process.exit(1);
}
