/**
 * Changes the sample rate of a whole recording: a Hann-windowed sinc, band-limited to the lower of the two rates.
 * Good enough for speech (stop band under -40 dB); not meant for streams, the microphone records at 16 kHz.
 */
/** Zero crossings of the sinc on each side. */
const LOBES = 16;

function kernel(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const angle = Math.PI * x;
  return (Math.sin(angle) / angle) * (0.5 + 0.5 * Math.cos(angle / LOBES));
}

/** Sound at `toRate` hertz, of the same duration to the sample. */
export function resample(samples: Float32Array, fromRate: number, toRate: number): Float32Array {
  if (fromRate === toRate) return samples;
  const out = new Float32Array(Math.floor((samples.length * toRate) / fromRate));
  const cutoff = Math.min(1, toRate / fromRate);
  const reach = Math.ceil(LOBES / cutoff);
  for (let i = 0; i < out.length; i += 1) {
    const centre = (i * fromRate) / toRate;
    const from = Math.max(0, Math.ceil(centre - reach));
    const to = Math.min(samples.length - 1, Math.floor(centre + reach));
    let sum = 0;
    for (let n = from; n <= to; n += 1) sum += (samples[n] as number) * kernel((n - centre) * cutoff);
    out[i] = sum * cutoff;
  }
  return out;
}
