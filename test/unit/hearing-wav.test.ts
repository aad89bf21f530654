/** WAV reading: every width, channels, rates, and what is wrong with files that cannot be read. */
import { describe, expect, it } from "vitest";
import { resample } from "../../models/hearing/resampling.ts";
import { readWav } from "../../models/hearing/wav.ts";

type Shape = { bits: number; channels?: number; rate?: number; encoding?: number; length?: number };

/** A 500 Hz tone of a tenth of a second at half of full scale. */
function wav({ bits, channels = 1, rate = 16_000, encoding = 1, length }: Shape): Buffer {
  const frames = rate / 10;
  const width = bits / 8;
  const data = Buffer.alloc(frames * channels * width);
  for (let frame = 0; frame < frames; frame += 1) {
    const value = 0.5 * Math.sin((2 * Math.PI * 500 * frame) / rate);
    for (let channel = 0; channel < channels; channel += 1)
      write(data, (frame * channels + channel) * width, value, bits, encoding);
  }
  const header = Buffer.alloc(44);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(36 + data.length, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(encoding, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * channels * width, 28);
  header.writeUInt16LE(channels * width, 32);
  header.writeUInt16LE(bits, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(length ?? data.length, 40);
  return Buffer.concat([header, data]);
}

function write(data: Buffer, at: number, value: number, bits: number, encoding: number): void {
  if (encoding === 3) data.writeFloatLE(value, at);
  else if (bits === 8) data.writeUInt8(Math.round(value * 127) + 128, at);
  else data.writeIntLE(Math.round(value * (2 ** (bits - 1) - 1)), at, bits / 8);
}

function samplesOf(bytes: Uint8Array): Float32Array {
  const result = readWav(bytes);
  if (result.kind !== "sound") throw new Error(result.reason);
  return result.samples;
}

describe("readable", () => {
  it.each([
    ["8 bits", { bits: 8 }],
    ["16 bits", { bits: 16 }],
    ["24 bits", { bits: 24 }],
    ["32 bits", { bits: 32 }],
    ["float", { bits: 32, encoding: 3 }],
    ["stereo", { bits: 16, channels: 2 }],
    ["8 kHz", { bits: 16, rate: 8_000 }],
    ["22.05 kHz", { bits: 16, rate: 22_050 }],
    ["44.1 kHz", { bits: 16, rate: 44_100 }],
    ["48 kHz stereo, 24 bits", { bits: 24, rate: 48_000, channels: 2 }],
    ["length 0, as from a pipe", { bits: 16, length: 0 }],
    ["length beyond the file", { bits: 16, length: 0x7fff_ffff }],
  ] as [string, Shape][])("%s", (_, shape) => {
    const samples = samplesOf(wav(shape));
    expect(samples.length).toBe(1_600);
    const middle = [...samples.subarray(400, 1_200)];
    const error = middle.map((x, i) =>
      Math.abs(x - 0.5 * Math.sin((2 * Math.PI * 500 * (i + 400)) / 16_000)),
    );
    expect(Math.max(...error)).toBeLessThan(0.02);
  });
});

describe("unreadable", () => {
  const good = wav({ bits: 16 });
  it.each([
    ["nothing", Buffer.alloc(0), "empty"],
    ["text", Buffer.from("hello, this is not sound"), "not a WAV file"],
    ["no data", good.subarray(0, 36), "no data chunk"],
    ["no samples", Buffer.concat([good.subarray(0, 40), Buffer.alloc(4)]), "no samples"],
    ["cut header", good.subarray(0, 30), "cut off"],
    ["compressed", wav({ bits: 8, encoding: 7 }), "not supported"],
    ["absurd rate", wav({ bits: 16, rate: 1_000 }), "not supported"],
  ])("%s", (_, bytes, reason) => {
    const result = readWav(bytes);
    expect(result).toMatchObject({ kind: "unreadable" });
    expect(result.kind === "unreadable" && result.reason).toContain(reason);
  });
});

it("removes what the lower rate cannot hold", () => {
  const high = Float32Array.from({ length: 4_800 }, (_, i) => Math.sin((2 * Math.PI * 12_000 * i) / 48_000));
  const out = resample(high, 48_000, 16_000).subarray(200, 1_400);
  expect(Math.max(...out.map(Math.abs))).toBeLessThan(0.02);
});
