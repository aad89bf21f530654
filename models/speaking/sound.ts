/** Speech as samples: the WAV that an engine writes, and the silence around a sentence. */
import { Fault } from "../../daemon/core/fault.ts";

/** Mono, 16-bit. */
export type Sound = { readonly pcm: Int16Array; readonly sampleRate: number };

/**
 * Reads 16-bit mono PCM (RIFF). Engines that write to a pipe cannot know the length and leave it at its maximum, so the
 * data chunk ends where the bytes end. Throws a Fault (model.failed) on anything else.
 */
export function parseWav(file: Buffer): Sound {
  if (
    file.length < 12 ||
    file.toString("latin1", 0, 4) !== "RIFF" ||
    file.toString("latin1", 8, 12) !== "WAVE"
  ) {
    throw new Fault("model.failed", "the speech engine wrote no WAV");
  }
  let sampleRate = 0;
  for (let at = 12; at + 8 <= file.length; ) {
    const id = file.toString("latin1", at, at + 4);
    const length = file.readUInt32LE(at + 4);
    const from = at + 8;
    if (id === "fmt ") {
      if (from + 16 > file.length) break;
      const plain =
        file.readUInt16LE(from) === 1 &&
        file.readUInt16LE(from + 2) === 1 &&
        file.readUInt16LE(from + 14) === 16;
      if (!plain)
        throw new Fault("model.failed", "the speech engine wrote something other than 16-bit mono PCM");
      sampleRate = file.readUInt32LE(from + 4);
    } else if (id === "data") {
      if (sampleRate === 0) break;
      const samples = Math.floor(Math.min(length, file.length - from) / 2);
      const pcm = new Int16Array(samples);
      for (let index = 0; index < samples; index++) pcm[index] = file.readInt16LE(from + index * 2);
      return { pcm, sampleRate };
    }
    at = from + length + (length % 2);
  }
  throw new Fault("model.failed", "the speech engine wrote a WAV without sound");
}

/** Samples quieter than this are silence: -50 dBFS, below the breath of an aspirated onset. */
const SILENCE = 100;
/** Kept before the first sound, so that it does not start with a click. */
const LEAD_MS = 8;
/** Kept after the last sound of a sentence: the pause to the next. espeak-ng itself leaves 350 ms. */
const TAIL_MS = 160;

/** The sentence without the silence that an engine puts around it. */
export function trimmed({ pcm, sampleRate }: Sound): Sound {
  const loud = (sample: number) => Math.abs(sample) > SILENCE;
  const first = pcm.findIndex(loud);
  if (first < 0) return { pcm: new Int16Array(0), sampleRate };
  const last = pcm.findLastIndex(loud);
  const start = Math.max(0, first - Math.round((LEAD_MS * sampleRate) / 1_000));
  const end = Math.min(pcm.length, last + 1 + Math.round((TAIL_MS * sampleRate) / 1_000));
  return { pcm: pcm.slice(start, end), sampleRate };
}

/** Sentences one after the other; all of one engine, so of one rate. */
export function concatenated(sounds: readonly Sound[]): Sound {
  const pcm = new Int16Array(sounds.reduce((sum, sound) => sum + sound.pcm.length, 0));
  let at = 0;
  for (const sound of sounds) {
    pcm.set(sound.pcm, at);
    at += sound.pcm.length;
  }
  return { pcm, sampleRate: sounds[0]?.sampleRate ?? 0 };
}

/** Splits at sentence ends, so that sentences are synthesised side by side and repeated ones come from the cache. */
export function sentencesOf(text: string): readonly string[] {
  return text
    .split(/(?<=[.?!。？！])\s+/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "");
}
