/** Cuts a stream of bytes (signed 16 bit, little endian, mono) into frames of 20 ms, whatever pieces it comes in. */

export const SAMPLE_RATE = 16_000;
export const FRAME_SAMPLES = 320;
export const FRAME_MS = (FRAME_SAMPLES * 1000) / SAMPLE_RATE;
const FRAME_BYTES = 2 * FRAME_SAMPLES;

export class FrameCutter {
  /** Less than a frame. */
  #rest: Uint8Array = new Uint8Array(0);

  /** The frames that are complete now, oldest first; each has memory of its own. */
  cut(chunk: Uint8Array): Int16Array[] {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const frames: Int16Array[] = [];
    let at = 0;
    for (; at + FRAME_BYTES <= bytes.length; at += FRAME_BYTES) {
      frames.push(new Int16Array(bytes.slice(at, at + FRAME_BYTES).buffer));
    }
    this.#rest = bytes.slice(at);
    return frames;
  }
}

/** Exact zeros throughout: a converter always has noise, so this is a muted or dead microphone. */
export function isDigitalSilence(pcm: Int16Array): boolean {
  return pcm.every((sample) => sample === 0);
}
