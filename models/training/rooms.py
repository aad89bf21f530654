"""Models what happens between a mouth and the samples: pace, room, noise, microphone, level.

Everything is drawn from one numpy generator. The result of `hear` is a feature matrix of the wanted number of frames.
"""
import pathlib
import wave

import numpy as np

from front_end import HOP, RATE, mel_filters, power, scale

WARPS = [round(0.88 + 0.02 * step, 2) for step in range(14)]  # 0.88 .. 1.14


def coloured(rng, slope, seconds=40):
    """Noise whose power falls with frequency to the slope: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(seconds * RATE))
    spectrum *= np.maximum(np.arange(len(spectrum)), 30.0 * seconds) ** (-slope / 2)
    noise = np.fft.irfft(spectrum)
    return (noise / noise.std()).astype(np.float32)


def read_wave(path):
    with wave.open(str(path)) as sound:
        assert sound.getframerate() == RATE and sound.getnchannels() == 1 and sound.getsampwidth() == 2, f"{path}: 16 kHz mono 16 bit wanted"
        return np.frombuffer(sound.readframes(sound.getnframes()), np.int16).astype(np.float32) / 32768


class Rooms:
    def __init__(self, seed, speech, recordings=None):
        """speech(rng, count) gives samples of anybody's speech for babble; recordings: a folder of noise WAVs."""
        self.rng, self.speech = np.random.default_rng(seed), speech
        self.gentle = 0.0  # share left as spoken: the first steps need easy listening to find the alignment
        self.steady = [coloured(self.rng, slope) for slope in (0, 0.5, 1, 1.5, 2)]
        self.recorded = [read_wave(path) for path in sorted(pathlib.Path(recordings).glob("*.wav"))] if recordings else []

    def chance(self, share):
        return self.rng.random() < share

    def pick(self, sound, count):
        if len(sound) <= count:
            sound = np.tile(sound, count // len(sound) + 2)
        start = self.rng.integers(len(sound) - count)
        return sound[start:start + count]

    def noise(self, count):
        """Noise of power 1."""
        rng, kind = self.rng, self.rng.random()
        if kind < 0.4 or (kind < 0.55 and not self.recorded):
            sound = self.pick(self.steady[rng.integers(len(self.steady))], count).copy()
            if self.chance(0.3):  # comes and goes
                sound *= 1 + 0.8 * np.sin(2 * np.pi * (rng.uniform(0.2, 4) * np.arange(count, dtype=np.float32) / RATE + rng.random()))
        elif kind < 0.55:
            sound = self.pick(self.recorded[rng.integers(len(self.recorded))], count).copy()
        elif kind < 0.82:
            sound = sum(self.speech(rng, count) * rng.uniform(0.3, 1) for _ in range(rng.integers(2, 8)))
        elif kind < 0.92:
            at, base = np.arange(count, dtype=np.float32) / RATE, rng.choice((50, 60, 100, 120, 400, 1000))
            sound = sum(rng.random() / order * np.sin(2 * np.pi * (base * order * at + rng.random())) for order in (1, 2, 3, 4, 6))
            sound = sound + 0.1 * self.pick(self.steady[2], count)
        else:
            sound = 0.05 * self.pick(self.steady[1], count)
            for _ in range(rng.integers(1, 9)):  # cups, keys, coins
                size = int(rng.integers(200, 2400))
                if count > size:
                    start = rng.integers(count - size)
                    ring = np.sin(2 * np.pi * rng.uniform(800, 6000) * np.arange(size) / RATE) + rng.standard_normal(size)
                    sound[start:start + size] += ring * np.exp(-np.arange(size) / (size / 6)) * rng.uniform(0.5, 2)
        return (sound / (np.sqrt(np.mean(np.square(sound))) + 1e-6)).astype(np.float32)

    def echo(self, sound):
        """A short room: a few early reflections and a decaying tail."""
        rng, time = self.rng, self.rng.uniform(0.08, 0.55)
        count = int(time * RATE)
        tail = rng.standard_normal(count) * np.exp(-6.9 * np.arange(count) / count)
        tail[: int(rng.uniform(0.001, 0.01) * RATE)] = 0
        tail *= rng.uniform(0.1, 0.8) / np.sqrt(np.square(tail).sum() + 1e-9)
        tail[0] = 1
        for _ in range(rng.integers(0, 5)):
            tail[rng.integers(16, min(count, 800))] += rng.uniform(-0.5, 0.5)
        total = len(sound) + count
        size = 1 << (total - 1).bit_length()
        return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(tail, size), size)[: len(sound) + count // 2].astype(np.float32)

    def pace(self, sound):
        factor = self.rng.uniform(0.88, 1.14)
        return np.interp(np.arange(0, len(sound) - 1, factor), np.arange(len(sound)), sound).astype(np.float32)

    def place(self, sound):
        """Pace, room, and silence around: often short, sometimes none."""
        rng = self.rng
        if self.chance(self.gentle):
            return np.pad(sound, (int(rng.uniform(0, 0.2) * RATE), int(rng.uniform(0, 0.2) * RATE)))
        if self.chance(0.5):
            sound = self.pace(sound)
        if self.chance(0.4):
            sound = self.echo(sound)
        before = 0 if self.chance(0.2) else rng.uniform(0, 0.6)
        after = 0 if self.chance(0.1) else rng.uniform(0, 0.6)
        if self.chance(0.05):  # the recorder was a moment late
            sound = sound[int(rng.uniform(0, 0.02) * RATE):]
        return np.pad(sound, (int(before * RATE), int(after * RATE)))

    def curve(self):
        """A microphone's frequency response on the mel axis, in powers of ten."""
        rng, bins = self.rng, np.arange(80, dtype=np.float32)
        total = np.zeros(80, np.float32)
        if self.chance(0.7):
            total += rng.uniform(-0.6, 0.6) * (bins / 40 - 1)
            for _ in range(3):
                total += rng.uniform(-0.7, 0.7) * np.exp(-((bins - rng.uniform(0, 80)) / rng.uniform(3, 20)) ** 2)
        if self.chance(0.2):  # dull microphone or telephone
            total -= 3 / (1 + np.exp(np.clip((rng.uniform(60, 78) - bins) / rng.uniform(0.5, 2), -50, 50)))
        if self.chance(0.25):  # no bass
            total -= 2 / (1 + np.exp(np.clip(bins - rng.uniform(1, 8), -50, 50)))
        return total

    def hear(self, sound, frames, speech=True):
        """Placed samples -> [frames, 80]; noise goes on over what the batch adds behind, or stops with the recording."""
        rng, count = self.rng, frames * HOP
        if speech and self.chance(self.gentle):
            return scale(power(np.pad(sound, (0, max(0, count - len(sound))))[:count]) @ mel_filters()).astype(np.float32)
        wave_ = np.zeros(count, np.float32)
        wave_[: len(sound)] = sound[:count]
        level = np.sqrt(np.mean(np.square(sound[np.abs(sound) > 0.01 * np.abs(sound).max(initial=1e-6)]))) if len(sound) else 0.05
        level = max(float(level) if level == level else 0.05, 1e-3)
        if not speech:
            wave_[:] = 0
        if self.chance(0.04):
            wave_ = np.clip(wave_, -level * rng.uniform(1, 3), level * rng.uniform(1, 3))
        if self.chance(0.7) or (not speech and self.chance(0.6)):
            end = count if self.chance(0.6) else max(400, min(count, len(sound)))
            wave_[:end] += self.noise(end) * (level * 10 ** (-rng.uniform(3, 35) / 20))
            if self.chance(0.15):
                wave_[:end] += self.noise(end) * (level * 10 ** (-rng.uniform(6, 35) / 20))
        wave_ *= 10 ** (-rng.uniform(0, 30) / 20) / max(1e-3, float(np.abs(wave_).max()))
        if self.chance(0.05):
            wave_ = np.clip(wave_ * rng.uniform(1.2, 3), -1, 1)
        if self.chance(0.5):
            wave_ += (rng.standard_normal(count) * 10 ** (-rng.uniform(55, 95) / 20)).astype(np.float32)
        elif self.chance(0.3):
            wave_ = np.round(wave_ * 32767) / 32767
        warp = WARPS[rng.integers(len(WARPS))] if self.chance(0.6) else 1.0
        seen = scale((power(wave_) @ mel_filters(warp)) * 10 ** self.curve())
        if speech and self.chance(0.6):
            self.mask(seen)
        return seen.astype(np.float32)

    def mask(self, seen):
        rng, mean = self.rng, float(seen.mean())
        for _ in range(2):
            width, low = rng.integers(0, 12), rng.integers(0, 68)
            seen[:, low:low + width] = mean
        for _ in range(1 + len(seen) // 250):
            width, start = rng.integers(0, 8), rng.integers(0, max(1, len(seen) - 8))
            seen[start:start + width] = mean
