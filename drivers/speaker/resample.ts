/**
 * Brings speech to the sound device's sample rate by a windowed sinc (Hann): good enough for a voice, and small. Used only
 * when the engine's rate differs from the device's.
 */

/** Zero crossings of the sinc on each side. More are slower and, for speech, not audible. */
const CROSSINGS = 12;

export function resample(pcm: Int16Array, fromRate: number, toRate: number): Int16Array {
  if (fromRate === toRate) return pcm;
  const out = new Int16Array(Math.round((pcm.length * toRate) / fromRate));
  // Going down, frequencies over half the new rate have to be removed, so the sinc is stretched.
  const cutoff = Math.min(1, toRate / fromRate);
  const reach = CROSSINGS / cutoff;
  for (let i = 0; i < out.length; i++) {
    const centre = (i * fromRate) / toRate;
    const first = Math.max(0, Math.ceil(centre - reach));
    const last = Math.min(pcm.length - 1, Math.floor(centre + reach));
    let sum = 0;
    for (let j = first; j <= last; j++) sum += (pcm[j] ?? 0) * kernel(j - centre, cutoff, reach);
    out[i] = Math.max(-32768, Math.min(32767, Math.round(sum)));
  }
  return out;
}

function kernel(distance: number, cutoff: number, reach: number): number {
  const x = Math.PI * distance * cutoff;
  const sinc = x === 0 ? 1 : Math.sin(x) / x;
  return cutoff * sinc * 0.5 * (1 + Math.cos((Math.PI * distance) / reach));
}
