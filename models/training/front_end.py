"""Models the ear: 16 kHz samples to 80 log-mel features every 10 ms, with a fixed floor and a fixed scale.

Whisper's STFT (n_fft 400, hop 160, periodic Hann, centred, reflect padding, last frame dropped), power spectrum, Slaney
mel filters 0-8000 Hz with Slaney norm, then feature = (max(log10(max(mel, 1e-10)), FLOOR) + SHIFT) / SCALE. No value
depends on the rest of the utterance, so the same numbers come out of a stream.
"""
import functools

import numpy as np

RATE, N_FFT, HOP, MELS = 16000, 400, 160, 80
FLOOR, SHIFT, SCALE = -7.0, 3.0, 3.0
SILENCE = (FLOOR + SHIFT) / SCALE


def _hz_to_mel(hz):
    return np.where(hz < 1000, hz * 3 / 200, 15 + 27 * np.log(np.maximum(hz, 1e-9) / 1000) / np.log(6.4))


def _mel_to_hz(mel):
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp(np.log(6.4) / 27 * (mel - 15)))


@functools.lru_cache(maxsize=64)
def mel_filters(warp=1.0):
    """[201, 80]. warp moves the filters along the frequency axis: the same voice from a shorter or longer throat."""
    bins = np.arange(N_FFT // 2 + 1) * (RATE / N_FFT)
    edges = _mel_to_hz(np.linspace(0.0, float(_hz_to_mel(np.array(8000.0))), MELS + 2))
    if warp != 1.0:  # straight up to 5 kHz, then bent so that 8 kHz stays in place
        knee = 5000.0
        edges = np.where(edges < knee, edges * warp, 8000 - (8000 - edges) * (8000 - knee * warp) / (8000 - knee))
    left, peak, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins[:, None] - left) / (peak - left)
    falling = (right - bins[:, None]) / (right - peak)
    return (np.maximum(0, np.minimum(rising, falling)) * (2 / (right - left))).astype(np.float32)


_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)).astype(np.float32)


def power(samples):
    """float samples in [-1, 1], more than 200 of them -> power spectrum [floor(n / 160), 201]."""
    count = len(samples) // HOP
    padded = np.pad(np.asarray(samples, np.float32), N_FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[: count * HOP : HOP]
    spectrum = np.fft.rfft(frames * _HANN, axis=1)
    return (spectrum.real ** 2 + spectrum.imag ** 2).astype(np.float32)


def scale(mel):
    """Mel power to features."""
    return (np.maximum(np.log10(np.maximum(mel, 1e-10)), FLOOR) + SHIFT) / SCALE


def features(samples):
    """float samples -> [floor(n / 160), 80] float32."""
    return scale(power(samples) @ mel_filters()).astype(np.float32)
