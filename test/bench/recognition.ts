/**
 * How well orders are understood: recordings with labels through the terminal's own ear.
 *
 * `--data FOLDER` holds sets as models/training/make_test_set.py writes them: menus/*.yaml, and folders of WAV files with
 * labels.json ({file, text, lang, menu, items}). Without it a small set is spoken by espeak-ng, if that is installed. An
 * order counts only when items, quantities and options are all right and nothing is there too much. Ranges are Wilson's
 * 95 % interval.
 */
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";
import type { Options } from "../../daemon/core/intent.ts";
import { findItem, type Menu } from "../../daemon/core/menu.ts";
import { readMenu } from "../../daemon/menu-file.ts";
import { Listener } from "../../models/hearing/listener.ts";
import { type OrderedItem, orderedItems } from "../../models/hearing/ordered-items.ts";
import { readWav } from "../../models/hearing/wav.ts";
import { packageFile } from "../../models/package-file.ts";

const labelSchema = z.object({
  file: z.string(),
  text: z.string(),
  lang: z.enum(["ko", "en"]),
  menu: z.string().nullable(),
  items: z.array(
    z.object({ id: z.string(), quantity: z.number(), options: z.record(z.string(), z.string()) }),
  ),
});
type Label = z.infer<typeof labelSchema>;

export type SetResult = {
  readonly set: string;
  readonly recordings: number;
  /** Recordings that hold an order, and how many of them were understood exactly. */
  readonly orders: number;
  readonly exact: number;
  readonly exactRange: readonly [number, number];
  /** Orders that the terminal would have asked back because it was not sure; none of them counts as exact. */
  readonly askedBack: number;
  /** Edit distance over characters without spaces, by the length of the labels. */
  readonly characterErrorRate: number | null;
  /** Recordings without speech in which a turn was heard. */
  readonly falseTurns: number;
  /** Words right to the letter, for sets of short answers. */
  readonly sameText: number;
  readonly medianLatencyMs: number;
  readonly p95LatencyMs: number;
  readonly mistakes: readonly { file: string; said: string; heard: string; items: readonly OrderedItem[] }[];
};

/** Under this the core asks back: the default of `dialogue.minimumConfidence`. */
const LEAST_CONFIDENCE = 0.4;

type Outcome = {
  askedBack: boolean;
  label: Label;
  heard: string;
  items: readonly OrderedItem[];
  turns: number;
  exact: boolean;
  latencyMs: number;
};

/** Wilson's score interval for k of n, 95 %. */
export function wilson(k: number, n: number): readonly [number, number] {
  if (n === 0) return [0, 1];
  const z2 = 1.96 ** 2;
  const middle = (k + z2 / 2) / (n + z2);
  const half = (1.96 * Math.sqrt((k * (n - k)) / n + z2 / 4)) / (n + z2);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

export function editDistance(a: string, b: string): number {
  const [from, to] = [[...a], [...b]];
  let row = to.map((_, j) => j + 1);
  row.unshift(0);
  for (const [i, x] of from.entries()) {
    const next = [i + 1];
    for (const [j, y] of to.entries()) {
      const swap = (row[j] ?? 0) + (x === y ? 0 : 1);
      next.push(Math.min(swap, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function letters(text: string): string {
  return text
    .normalize("NFC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, "");
}

/** What is said and what is meant by default are one: both sides get the groups that were not named. */
function complete(menu: Menu, { id, options }: OrderedItem): Options {
  const groups = menu.optionGroups.filter((group) => findItem(menu, id)?.options.includes(group.id));
  return Object.fromEntries(groups.map((group) => [group.id, options[group.id] ?? group.default]));
}

function byText(a: readonly unknown[], b: readonly unknown[]): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}

function sameOrder(menu: Menu, a: readonly OrderedItem[], b: readonly OrderedItem[]): boolean {
  const written = (items: readonly OrderedItem[]) => {
    const counts = new Map<string, number>();
    for (const item of items) {
      const key = JSON.stringify([item.id, Object.entries(complete(menu, item)).sort(byText)]);
      counts.set(key, (counts.get(key) ?? 0) + item.quantity);
    }
    return JSON.stringify([...counts].sort(byText));
  };
  return written(a) === written(b);
}

class Ears {
  readonly #open = new Map<string, Listener>();
  readonly #menus = new Map<string, Menu>();
  readonly #modelDirectory: string;
  readonly #folder: string;

  constructor(folder: string, modelDirectory: string) {
    this.#folder = folder;
    this.#modelDirectory = modelDirectory;
  }

  menu(name: string | null): Menu {
    const file =
      name === null
        ? packageFile("daemon/menu.example.yaml")
        : path.join(this.#folder, "menus", `${name}.yaml`);
    const known = this.#menus.get(file) ?? readMenu(file);
    this.#menus.set(file, known);
    return known;
  }

  async of(label: Label): Promise<Listener> {
    const key = `${label.menu}/${label.lang}`;
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    const listener = await Listener.open({
      modelDirectory: this.#modelDirectory,
      language: label.lang,
      menu: this.menu(label.menu),
      endpointing: "default",
      threads: 2,
    });
    this.#open.set(key, listener);
    return listener;
  }

  async close(): Promise<void> {
    for (const listener of this.#open.values()) await listener.close();
  }
}

async function listen(ears: Ears, folder: string, label: Label): Promise<Outcome> {
  const sound = readWav(readFileSync(path.join(folder, label.file)));
  if (sound.kind === "unreadable") throw new Error(`${path.join(folder, label.file)}: ${sound.reason}`);
  const listener = await ears.of(label);
  const expectation = label.menu === null ? "confirmation" : "order";
  const { transcript, turns, confidence, latencyMs, events } = await listener.hear(
    sound.samples,
    expectation,
  );
  const menu = ears.menu(label.menu);
  const edits = turns.flatMap(({ intent }) => (intent.kind === "edit" ? intent.edits : []));
  const items = orderedItems(menu, edits);
  const askedBack = confidence < LEAST_CONFIDENCE;
  const ends = events.filter((event) => event.kind === "heard" || event.kind === "not-understood").length;
  return {
    label,
    heard: transcript,
    items,
    turns: ends,
    askedBack,
    exact: !askedBack && sameOrder(menu, items, label.items),
    latencyMs,
  };
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

function summarise(set: string, outcomes: readonly Outcome[]): SetResult {
  const orders = outcomes.filter(({ label }) => label.items.length > 0);
  const exact = orders.filter((outcome) => outcome.exact).length;
  const spoken = outcomes.filter(({ label }) => label.text !== "");
  const said = spoken.map(({ label, heard }) => [letters(label.text), letters(heard)] as const);
  const length = said.reduce((sum, [text]) => sum + text.length, 0);
  const errors = said.reduce((sum, [text, heard]) => sum + editDistance(text, heard), 0);
  const latencies = spoken.map(({ latencyMs }) => latencyMs);
  const wrong = outcomes.filter(({ label, exact: right, turns }) =>
    label.text === "" ? turns > 0 : label.items.length > 0 && !right,
  );
  return {
    set,
    recordings: outcomes.length,
    orders: orders.length,
    exact,
    exactRange: wilson(exact, orders.length),
    askedBack: orders.filter((outcome) => outcome.askedBack).length,
    characterErrorRate: length === 0 ? null : errors / length,
    falseTurns: outcomes.filter(({ label, turns }) => label.text === "" && turns > 0).length,
    sameText: said.filter(([text, heard]) => text === heard).length,
    medianLatencyMs: quantile(latencies, 0.5),
    p95LatencyMs: quantile(latencies, 0.95),
    mistakes: wrong.map(({ label, heard, items }) => ({ file: label.file, said: label.text, heard, items })),
  };
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

function written(result: SetResult): string {
  const parts = [`${result.set.padEnd(22)} ${result.recordings} recordings`];
  if (result.orders > 0) {
    const [low, high] = result.exactRange;
    parts.push(`${percent(result.exact / result.orders)} exact (${percent(low)} to ${percent(high)})`);
    parts.push(`${result.askedBack} asked back`);
  }
  if (result.orders === 0 && result.characterErrorRate !== null) {
    parts.push(`${percent(result.sameText / result.recordings)} the same words`);
  }
  if (result.characterErrorRate !== null) {
    parts.push(`character error ${percent(result.characterErrorRate)}`);
    parts.push(
      `latency ${result.medianLatencyMs.toFixed(0)} ms median, ${result.p95LatencyMs.toFixed(0)} ms p95`,
    );
  } else parts.push(`${result.falseTurns} false turns`);
  return parts.join(", ");
}

const SPOKEN_MENU = "example";
const SMALL_SET: readonly Omit<Label, "file" | "menu">[] = [
  { lang: "ko", text: "아메리카노 두 잔 주세요", items: [{ id: "americano", quantity: 2, options: {} }] },
  {
    lang: "ko",
    text: "아이스 카페라떼 한 잔 주세요",
    items: [{ id: "latte", quantity: 1, options: { temperature: "iced" } }],
  },
  {
    lang: "ko",
    text: "소금빵 세 개랑 생수 한 병 주세요",
    items: [
      { id: "salt-bread", quantity: 3, options: {} },
      { id: "water", quantity: 1, options: {} },
    ],
  },
  {
    lang: "ko",
    text: "따뜻한 유자차 네 잔 부탁드려요",
    items: [{ id: "citron-tea", quantity: 4, options: { temperature: "hot" } }],
  },
  {
    lang: "ko",
    text: "치즈케이크 하나 크루아상 다섯 개 주세요",
    items: [
      { id: "cheesecake", quantity: 1, options: {} },
      { id: "croissant", quantity: 5, options: {} },
    ],
  },
  {
    lang: "en",
    text: "two iced lattes please",
    items: [{ id: "latte", quantity: 2, options: { temperature: "iced" } }],
  },
  {
    lang: "en",
    text: "can i get one cheesecake and three croissants",
    items: [
      { id: "cheesecake", quantity: 1, options: {} },
      { id: "croissant", quantity: 3, options: {} },
    ],
  },
];
const SPOKEN_VOICES = { ko: ["ko", "ko+f2"], en: ["en-gb", "en-us+f3"] };

/** Speaks a small set into a folder of the same shape; null where espeak-ng is not installed. */
function speakSmallSet(): string | null {
  const folder = mkdtempSync(path.join(tmpdir(), "saypay-recognition-"));
  const set = path.join(folder, "espeak");
  try {
    mkdirSync(path.join(folder, "menus"));
    mkdirSync(set);
    copyFileSync(packageFile("daemon/menu.example.yaml"), path.join(folder, "menus", `${SPOKEN_MENU}.yaml`));
    const labels = SMALL_SET.flatMap((order, number) =>
      SPOKEN_VOICES[order.lang].map((voice, turn) => {
        const file = `${number}-${turn}.wav`;
        execFileSync("espeak-ng", ["-v", voice, "-w", path.join(set, file), order.text]);
        return { ...order, file, menu: SPOKEN_MENU };
      }),
    );
    writeFileSync(path.join(set, "labels.json"), JSON.stringify(labels));
    return folder;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

export type RecognitionOptions = {
  readonly json: boolean;
  readonly data?: string;
  /** Folder of the acoustic model; the bundled one when not given. */
  readonly model?: string;
  /** Only sets whose name contains this. */
  readonly only?: string;
};

async function measure(folder: string, options: RecognitionOptions): Promise<readonly SetResult[]> {
  const ears = new Ears(folder, options.model ?? packageFile("models/bundled/hearing"));
  const results: SetResult[] = [];
  for (const set of readdirSync(folder).sort()) {
    const file = path.join(folder, set, "labels.json");
    if (!existsSync(file) || !set.includes(options.only ?? "")) continue;
    const outcomes: Outcome[] = [];
    for (const label of z.array(labelSchema).parse(JSON.parse(readFileSync(file, "utf8")))) {
      outcomes.push(await listen(ears, path.join(folder, set), label));
    }
    const result = summarise(set, outcomes);
    results.push(result);
    if (!options.json) process.stdout.write(`${written(result)}\n`);
  }
  await ears.close();
  return results;
}

export const summary =
  "orders understood exactly, character error rate, false turns and latency, by test set";

/** Prints a line a set, or one JSON document. */
export async function recognition(options: RecognitionOptions): Promise<void> {
  const spoken = options.data === undefined ? speakSmallSet() : null;
  const folder = options.data ?? spoken;
  if (folder === null) {
    throw new Error(
      "give --data FOLDER, or install espeak-ng to speak a small set (apt-get install espeak-ng)",
    );
  }
  try {
    const results = await measure(folder, options);
    if (options.json) process.stdout.write(`${JSON.stringify({ recognition: results })}\n`);
  } finally {
    if (spoken !== null) rmSync(spoken, { recursive: true, force: true });
  }
}
