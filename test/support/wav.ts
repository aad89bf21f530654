/** WAV files of 16-bit mono PCM (RIFF, format tag 1), as the tests and the demo write and read them. */

export type Sound = { readonly pcm: Int16Array; readonly sampleRate: number };

const HEADER_BYTES = 44;

export function encodeWav({ pcm, sampleRate }: Sound): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write("RIFF", 0, "latin1");
  header.writeUInt32LE(HEADER_BYTES - 8 + pcm.byteLength, 4);
  header.write("WAVEfmt ", 8, "latin1");
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36, "latin1");
  header.writeUInt32LE(pcm.byteLength, 40);
  return Buffer.concat([header, Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength)]);
}

/** Reads 16-bit mono PCM; throws on anything else. */
export function decodeWav(file: Buffer): Sound {
  if (file.toString("latin1", 0, 4) !== "RIFF" || file.toString("latin1", 8, 12) !== "WAVE") {
    throw new Error("not a WAV file");
  }
  let sampleRate = 0;
  for (let at = 12; at + 8 <= file.length; ) {
    const id = file.toString("latin1", at, at + 4);
    const length = file.readUInt32LE(at + 4);
    if (id === "fmt ") {
      sampleRate = file.readUInt32LE(at + 12);
      const [tag, channels, bits] = [
        file.readUInt16LE(at + 8),
        file.readUInt16LE(at + 10),
        file.readUInt16LE(at + 22),
      ];
      if (tag !== 1 || channels !== 1 || bits !== 16) throw new Error("not 16-bit mono PCM");
    }
    if (id === "data") {
      // A program that writes to a pipe does not know the length and leaves 0 or a huge number.
      const end = Math.min(file.length, at + 8 + length);
      const bytes = file.subarray(at + 8, at + 8 + 2 * Math.floor((end - at - 8) / 2));
      return { pcm: new Int16Array(Uint8Array.from(bytes).buffer), sampleRate };
    }
    at += 8 + length + (length % 2);
  }
  throw new Error("the WAV file has no data");
}

/** A sine tone; `level` is its peak as a part of full scale. */
export function tone(frequencyHz: number, durationMs: number, sampleRate: number, level = 0.4): Int16Array {
  const pcm = new Int16Array(Math.round((durationMs * sampleRate) / 1000));
  const step = (2 * Math.PI * frequencyHz) / sampleRate;
  for (let i = 0; i < pcm.length; i++) pcm[i] = Math.round(Math.sin(i * step) * level * 32767);
  return pcm;
}

/** Level of one frequency (Goertzel), as a part of full scale: a tone of that level gives its own level. */
export function levelAt(frequencyHz: number, pcm: Int16Array, sampleRate: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequencyHz) / sampleRate);
  let previous = 0;
  let beforePrevious = 0;
  for (const sample of pcm) {
    const value = sample / 32768 + coefficient * previous - beforePrevious;
    beforePrevious = previous;
    previous = value;
  }
  const power = previous ** 2 + beforePrevious ** 2 - coefficient * previous * beforePrevious;
  return (2 * Math.sqrt(Math.max(0, power))) / Math.max(1, pcm.length);
}
