/**
 * The `hear` command as a process, with the bundled model and the real voice detector. Speech comes from espeak-ng, which
 * `npm test` installs; noise is made here.
 */
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { logMel, MELS } from "../../models/hearing/log-mel.ts";
import { openAcousticModel } from "../../models/hearing/recogniser.ts";
import { resample } from "../../models/hearing/resampling.ts";
import { readWav } from "../../models/hearing/wav.ts";
import { seeded } from "../support/spelled-speech.ts";
import { encodeWav } from "../support/wav.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HEAR = path.join(ROOT, "dist/models/hearing/hear.js");
const MODEL = path.join(ROOT, "models/bundled/hearing");
const FLOWERS = path.join(ROOT, "test/fixtures/menus/flower-shop.yaml");
const RATE = 16_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "saypay-hear-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Line = {
  file: string;
  transcript?: string;
  intent?: string | null;
  items?: { id: string; quantity: number; options: Record<string, string> }[];
  confidence?: number;
  latencyMs?: number;
  error?: string;
};
type Outcome = { status: number; lines: Line[]; stdout: string; stderr: string };

function hear(...given: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [HEAR, ...given], { cwd: folder }, (error, stdout, stderr) => {
      const lines = stdout.startsWith("{")
        ? stdout
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line) as Line)
        : [];
      resolve({ status: typeof error?.code === "number" ? error.code : 0, lines, stdout, stderr });
    });
  });
}

function speak(name: string, voice: string, text: string): string {
  const file = path.join(folder, name);
  execFileSync("espeak-ng", ["-v", voice, "-w", file, text]);
  return file;
}

function write(name: string, sample: (index: number) => number, seconds = 3): string {
  const pcm = Int16Array.from({ length: seconds * RATE }, (_, i) => Math.round(32_767 * sample(i)));
  const file = path.join(folder, name);
  writeFileSync(file, encodeWav({ pcm, sampleRate: RATE }));
  return file;
}

/** The same sound at another rate, with other channels, 24 bits a sample. */
function reshaped(wav: Buffer, shape: { rate: number; channels: number; gain: number }): Buffer {
  const sound = readWav(wav);
  if (sound.kind !== "sound") throw new Error(sound.reason);
  const { rate, channels, gain } = shape;
  const samples = resample(sound.samples, RATE, rate);
  const frame = 3 * channels;
  const data = Buffer.alloc(samples.length * frame);
  for (const [index, sample] of samples.entries()) {
    const value = Math.round(8_388_607 * gain * Math.max(-1, Math.min(1, sample)));
    for (let channel = 0; channel < channels; channel += 1)
      data.writeIntLE(value, index * frame + 3 * channel, 3);
  }
  const header = encodeWav({ pcm: new Int16Array(), sampleRate: rate });
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate * frame, 28);
  header.writeUInt16LE(frame, 32);
  header.writeUInt16LE(24, 34);
  header.writeUInt32LE(data.length, 40);
  return Buffer.concat([header, data]);
}

describe("privacy", () => {
  it("leaves no trace of telemetry, neither in the home folder nor among temporary files", async () => {
    const home = path.join(folder, "home");
    mkdirSync(home);
    const { CI: _, ...env } = process.env;
    const spoken = speak("private.wav", "ko", "아메리카노 한 잔 주세요");
    execFileSync(process.execPath, [HEAR, spoken], {
      cwd: home,
      env: { ...env, HOME: home, XDG_CACHE_HOME: home, TMPDIR: home },
    });
    expect(readdirSync(home)).toEqual([]);
  });
});

describe("orders", () => {
  it("come out with items, quantities and options, one line a file", async () => {
    const files = [
      speak("a.wav", "ko", "아메리카노 두 잔 주세요"),
      speak("b.wav", "ko", "아이스 카페라떼 한 잔이랑 소금빵 세 개 주세요"),
    ];
    const { status, lines } = await hear(...files);
    expect(lines.map((line) => line.items)).toEqual([
      [{ id: "americano", quantity: 2, options: {} }],
      [
        { id: "latte", quantity: 1, options: { temperature: "iced" } },
        { id: "salt-bread", quantity: 3, options: {} },
      ],
    ]);
    expect(status).toBe(0);
    expect(lines[0]).toMatchObject({ file: files[0], transcript: "아메리카노 두 잔 주세요", intent: "edit" });
    expect(lines[0]?.confidence).toBeGreaterThan(0.5);
    expect(lines[0]?.latencyMs).toBeGreaterThan(0);
  });

  it("may be of a menu that training never saw", async () => {
    const file = speak("flowers.wav", "ko", "라넌큘러스 다섯 송이 주세요");
    const { lines } = await hear("--menu", FLOWERS, file);
    expect(lines[0]?.items).toEqual([{ id: "ranunculus", quantity: 5, options: {} }]);
  });

  it("may be English", async () => {
    const { lines } = await hear("--lang", "en", speak("en.wav", "en-us", "two lattes please"));
    expect(lines[0]?.items).toEqual([{ id: "latte", quantity: 2, options: {} }]);
  });

  it.each([
    ["8 kHz", { rate: 8_000, channels: 1, gain: 1 }],
    ["48 kHz stereo", { rate: 48_000, channels: 2, gain: 1 }],
    ["30 dB less", { rate: 16_000, channels: 1, gain: 10 ** (-30 / 20) }],
  ])("are the same at %s", async (_, shape) => {
    const plain = speak("plain.wav", "ko", "아메리카노 두 잔 주세요");
    const file = path.join(folder, "other.wav");
    writeFileSync(file, reshaped(readFileSync(plain), shape));
    const { lines } = await hear(file);
    expect(lines[0]?.items).toEqual([{ id: "americano", quantity: 2, options: {} }]);
  });
});

it("hears nothing in silence, hiss, hum and knocks", async () => {
  const random = seeded(3);
  const noise = () => random() + random() + random() - 1.5;
  const { status, lines } = await hear(
    write("silence.wav", () => 0),
    write("hiss.wav", () => 0.1 * noise()),
    write("loud-hiss.wav", () => 0.4 * noise()),
    write(
      "hum.wav",
      (i) => 0.3 * Math.sin((2 * Math.PI * 60 * i) / RATE) + 0.1 * Math.sin((2 * Math.PI * 180 * i) / RATE),
    ),
    write("knocks.wav", (i) => 0.6 * noise() * Math.exp(-(i % 9_000) / 150)),
    write("tone.wav", (i) => 0.3 * Math.sin((2 * Math.PI * 440 * i) / RATE)),
  );
  expect(lines.map(({ transcript, intent, items }) => ({ transcript, intent, items }))).toEqual(
    Array.from({ length: 6 }, () => ({ transcript: "", intent: null, items: [] })),
  );
  expect(status).toBe(0);
});

describe("mistakes", () => {
  it("in files are told one by one, and the good files are heard all the same", async () => {
    writeFileSync(path.join(folder, "text.wav"), "this is not sound");
    writeFileSync(path.join(folder, "empty.wav"), "");
    const good = speak("good.wav", "ko", "생수 한 병 주세요");
    const { status, lines } = await hear("text.wav", "empty.wav", "missing.wav", good);
    expect(status).toBe(1);
    expect(lines.map((line) => line.error)).toEqual([
      expect.stringContaining("not a WAV file"),
      expect.stringContaining("empty"),
      expect.stringContaining("cannot be read"),
      undefined,
    ]);
    expect(lines[3]?.items).toEqual([{ id: "water", quantity: 1, options: {} }]);
  });

  it("in the menu are told with their lines", async () => {
    const menu = path.join(folder, "menu.yaml");
    writeFileSync(menu, "currency: KRW\nitems:\n  - { id: A b, names: { ko: [물] }, price: ten }\n");
    const { status, stderr } = await hear("--menu", menu, "x.wav");
    expect(status).toBe(1);
    expect(stderr).toMatch(/menu\.yaml:3/);
  });

  it("in the arguments are told by name", async () => {
    expect(await hear("--lang", "fr", "x.wav")).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("ko, en"),
    });
    expect(await hear()).toMatchObject({ status: 1, stderr: expect.stringContaining("file") });
    expect(await hear("--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("--menu") });
  });
});

describe("the model's folder", () => {
  it("that is not there is named", async () => {
    const { status, stderr } = await hear("--model", path.join(folder, "nowhere"), "x.wav");
    expect(status).toBe(1);
    expect(stderr).toMatch(/nowhere.model\.json/);
  });

  it("with one changed byte is refused", async () => {
    const copy = path.join(folder, "damaged");
    cpSync(MODEL, copy, { recursive: true });
    const weights = readFileSync(path.join(copy, "model.onnx"));
    weights[1_000] = (weights[1_000] ?? 0) ^ 1;
    writeFileSync(path.join(copy, "model.onnx"), weights);
    await expect(openAcousticModel(copy, 1)).rejects.toMatchObject({
      code: "model.damaged",
      detail: expect.stringContaining("model.onnx"),
    });
  });
});

describe("the bundled model", () => {
  type Reference = { features: Record<string, number[]>; featureTolerance: number; argmax: number[] };
  const reference = JSON.parse(readFileSync(path.join(MODEL, "reference.json"), "utf8")) as Reference;
  const signal = Float32Array.from({ length: 8_000 }, (_, n) => {
    const t = n / RATE;
    return 0.4 * Math.sin(2 * Math.PI * (200 * t + 3_000 * t * t)) + 0.1 * Math.sin(2 * Math.PI * 1_000 * t);
  });

  it("sees the features that it was trained on", () => {
    const features = logMel(signal);
    for (const [row, expected] of Object.entries(reference.features)) {
      const actual = features.subarray(Number(row) * MELS, (Number(row) + 1) * MELS);
      const worst = Math.max(...expected.map((value, mel) => Math.abs(value - (actual[mel] ?? Number.NaN))));
      expect(worst).toBeLessThan(reference.featureTolerance);
    }
  });

  it("gives the labels that the training tools got from it", async () => {
    const model = await openAcousticModel(MODEL, 1);
    const output = await model.run(logMel(signal));
    await model.close();
    const size = model.alphabet.size;
    const best = Array.from({ length: output?.frames ?? 0 }, (_, frame) => {
      const row = output?.data.subarray(frame * size, (frame + 1) * size) ?? new Float32Array();
      return row.indexOf(Math.max(...row));
    });
    expect(best).toEqual(reference.argmax);
  });

  it("is small enough to bundle", () => {
    expect(readFileSync(path.join(MODEL, "model.onnx")).length).toBeLessThan(15_000_000);
  });
});
