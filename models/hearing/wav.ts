/**
 * Reads a WAV file (RIFF, Microsoft multimedia 1.0) into mono samples at 16 kHz: PCM of 8, 16, 24 or 32 bits and IEEE
 * float, any number of channels (averaged) and any rate. A length of zero or beyond the file, as programs leave it that
 * write into a pipe, means the rest of the file.
 */
import { SAMPLE_RATE } from "./log-mel.ts";
import { resample } from "./resampling.ts";

/** Ten minutes: more is not an utterance and would only fill the memory. */
const MAX_SECONDS = 600;
const PCM = 1;
const IEEE_FLOAT = 3;
const EXTENSIBLE = 0xfffe;

export type WavResult =
  | { readonly kind: "sound"; readonly samples: Float32Array; readonly sourceRate: number }
  | { readonly kind: "unreadable"; readonly reason: string };

type Format = {
  readonly encoding: number;
  readonly channels: number;
  readonly rate: number;
  readonly bits: number;
};

function unreadable(reason: string): WavResult {
  return { kind: "unreadable", reason };
}

/** Samples in [-1, 1] at 16 kHz, or why the bytes cannot be read. Never throws. */
export function readWav(bytes: Uint8Array): WavResult {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));
  if (bytes.length === 0) return unreadable("the file is empty");
  if (bytes.length < 12 || tag(0) !== "RIFF" || tag(8) !== "WAVE")
    return unreadable("not a WAV file (no RIFF/WAVE header)");
  let format: Format | null = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true);
    const body = at + 8;
    if (tag(at) === "fmt ") {
      if (length < 16 || body + length > bytes.length) return unreadable("the WAV header is cut off");
      format = readFormat(view, body, length);
    }
    if (tag(at) === "data") {
      if (format === null) return unreadable("the WAV file has sound before its format");
      const end = length === 0 || body + length > bytes.length ? bytes.length : body + length;
      return decode(new DataView(bytes.buffer, bytes.byteOffset + body, end - body), format);
    }
    at = body + length + (length % 2);
  }
  return unreadable("the WAV file has no sound in it (no data chunk)");
}

function readFormat(view: DataView, at: number, length: number): Format {
  const tag = view.getUint16(at, true);
  const encoding = tag === EXTENSIBLE && length >= 26 ? view.getUint16(at + 24, true) : tag;
  return {
    encoding,
    channels: view.getUint16(at + 2, true),
    rate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
}

/** One sample at a byte offset, in [-1, 1]. */
function sampleReader({ encoding, bits }: Format): ((data: DataView, at: number) => number) | null {
  if (encoding === IEEE_FLOAT && bits === 32) return (data, at) => data.getFloat32(at, true);
  if (encoding === IEEE_FLOAT && bits === 64) return (data, at) => data.getFloat64(at, true);
  if (encoding !== PCM) return null;
  switch (bits) {
    case 8:
      return (data, at) => (data.getUint8(at) - 128) / 128;
    case 16:
      return (data, at) => data.getInt16(at, true) / 32_768;
    case 24:
      return (data, at) => (data.getInt8(at + 2) * 65_536 + data.getUint16(at, true)) / 8_388_608;
    case 32:
      return (data, at) => data.getInt32(at, true) / 2_147_483_648;
    default:
      return null;
  }
}

function decode(data: DataView, format: Format): WavResult {
  const read = sampleReader(format);
  const { channels, rate, bits, encoding } = format;
  if (read === null)
    return unreadable(`WAV encoding ${encoding} with ${bits} bits is not supported; save it as 16-bit PCM`);
  if (channels === 0 || rate < 4_000 || rate > 384_000) {
    return unreadable(`a WAV file with ${channels} channels at ${rate} Hz is not supported`);
  }
  const width = bits / 8;
  const frames = Math.floor(data.byteLength / (width * channels));
  if (frames === 0) return unreadable("the WAV file has no sound in it (no samples)");
  if (frames > rate * MAX_SECONDS)
    return unreadable(`longer than ${MAX_SECONDS} seconds; cut it into utterances`);
  const mono = new Float32Array(frames);
  for (let frame = 0; frame < frames; frame += 1) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel += 1)
      sum += read(data, (frame * channels + channel) * width);
    const sample = sum / channels;
    mono[frame] = Number.isFinite(sample) ? Math.max(-1, Math.min(1, sample)) : 0;
  }
  return { kind: "sound", samples: resample(mono, rate, SAMPLE_RATE), sourceRate: rate };
}
