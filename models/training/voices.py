"""Models the speakers: espeak-ng in this process with stock and invented variant files, and flite for some English.

Three groups that share no variant: "train", "dev" (looked at while training) and "test" (never). Pitch settings that
are multiples of 7 belong to the test group alone. Invented variants change the formants, the pitch, the breath and the
stress of the voice, which gives far more throats than the hundred stock files.
"""
import ctypes
import os
import pathlib
import random as rnd
import subprocess
import tempfile
import wave

import numpy as np

from front_end import RATE

_ODD = {"Demonic", "fast_test", "fast", "whisper", "whisperf", "Mr serious", "UniRobot", "anikaRobot", "robosoft6", "robosoft7", "robosoft8", "Storm", "Tweaky"}
INVENTED = {"train": 400, "dev": 12, "test": 30}
FLITE = {"train": ("kal16", "rms", "slt"), "dev": ("rms",), "test": ("awb",)}
_FIND = ("/usr/lib/x86_64-linux-gnu/espeak-ng-data", "/usr/lib/aarch64-linux-gnu/espeak-ng-data", "/usr/share/espeak-ng-data")


def _invent(random):
    """The text of one variant file."""
    size = random.uniform(0.0, 1.0)  # 0: a large man, 1: a child
    base = 75 * 3.2 ** size * random.uniform(0.85, 1.2)
    tract = 88 + 32 * size + random.uniform(-6, 6)
    lines = ["language variant", f"pitch {base:.0f} {base * random.uniform(1.1, 1.8):.0f}"]
    if random.random() < 0.12:
        lines.append(f"klatt {random.randint(1, 6)}")
    tilt = random.uniform(-8, 6)
    for number in range(9):
        strength = min(180, max(20, random.gauss(100 + tilt * number, 18)))
        lines.append(f"formant {number} {tract + random.gauss(0, 4):.0f} {strength:.0f} {random.uniform(70, 180):.0f}")
    lines += [f"flutter {random.randint(0, 20)}", f"roughness {random.randint(0, 4)}", f"intonation {random.randint(1, 4)}",
              f"voicing {random.randint(60, 150)}", f"consonants {random.randint(60, 150)} {random.randint(60, 150)}"]
    if random.random() < 0.3:
        lines.append("breath " + " ".join(str(random.randint(0, 50)) for _ in range(6)))
        lines.append("breathw 150 150 200 200 400 400")
    if random.random() < 0.15:
        lines.append(f"echo {random.randint(10, 130)} {random.randint(5, 25)}")
    if random.random() < 0.6:
        lines.append(f"tone 600 {random.randint(120, 255)} 1200 {random.randint(60, 255)} 2000 {random.randint(40, 255)} 3000 {random.randint(20, 255)}")
    if random.random() < 0.5:
        lines.append("stressAdd " + " ".join(str(random.randint(-20, 60)) for _ in range(8)))
    if random.random() < 0.4:
        lines.append("stressAmp " + " ".join(str(random.randint(15, 24)) for _ in range(8)))
    return "\n".join(lines) + "\n"


def prepare(folder):
    """A copy of espeak-ng's data (links) with the invented variants added; -> {group: [variant]}."""
    source = pathlib.Path(next(path for path in _FIND if os.path.isdir(path)))
    data = pathlib.Path(folder) / "espeak-ng-data"
    stock = sorted(p.name for p in (source / "voices" / "!v").iterdir() if p.name not in _ODD)
    if not data.is_dir():
        (data / "voices" / "!v").mkdir(parents=True)
        (data / "more").mkdir()  # not below voices: espeak-ng lists at most 349 voices and loses real ones beyond
        for path in source.iterdir():
            if path.name != "voices":
                (data / path.name).symlink_to(path)
        for path in (source / "voices" / "!v").iterdir():
            (data / "voices" / "!v" / path.name).symlink_to(path)
        for group, count in INVENTED.items():
            random = rnd.Random("variants " + group)
            for number in range(count):
                (data / "more" / f"{group}{number}").write_text(_invent(random))
    rnd.Random(2026).shuffle(stock)
    groups = {"test": stock[:14], "dev": stock[14:20], "train": stock[20:]}
    return {group: names + [f"../../more/{group}{n}" for n in range(INVENTED[group])] for group, names in groups.items()}


class Espeak:
    """One espeak-ng engine; there can be only one in a process."""

    def __init__(self, folder):
        self.lib = ctypes.CDLL("libespeak-ng.so.1")
        self.parts = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)

        def collect(samples, count, _events):
            if samples and count > 0:
                self.parts.append(np.ctypeslib.as_array(samples, shape=(count,)).copy())
            return 0

        self.callback = kind(collect)  # kept alive as long as the engine
        self.rate = self.lib.espeak_Initialize(2, 0, str(folder).encode(), 0)
        if self.rate <= 0:
            raise RuntimeError("espeak-ng does not start")
        self.lib.espeak_SetSynthCallback(self.callback)

    def say(self, text, voice, speed, pitch, spread, gap):
        self.parts.clear()
        if self.lib.espeak_SetVoiceByName(voice.encode()) != 0:
            raise RuntimeError(f"espeak-ng has no voice {voice}")
        for parameter, value in ((1, speed), (2, 100), (3, pitch), (4, spread), (7, gap)):
            self.lib.espeak_SetParameter(parameter, int(value), 0)
        data = text.encode() + b"\0"
        self.lib.espeak_Synth(data, len(data), 0, 1, 0, 1, None, None)
        return np.concatenate(self.parts).astype(np.float32) / 32768 if self.parts else np.zeros(0, np.float32)


def flite(text, voice, stretch):
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}", "-t", text, "-o", file.name], check=True, capture_output=True)
        with wave.open(file.name) as sound:
            return np.frombuffer(sound.readframes(sound.getnframes()), np.int16).astype(np.float32) / 32768, sound.getframerate()


def resample(samples, rate, to=RATE):
    """By cutting or filling the spectrum; the length is padded to one the FFT likes."""
    padded = np.pad(samples, (0, -len(samples) % 512))
    count, wanted = len(padded), int(round(len(padded) * to / rate))
    spectrum = np.fft.rfft(padded)
    keep = wanted // 2 + 1
    spectrum = spectrum[:keep] if keep <= len(spectrum) else np.pad(spectrum, (0, keep - len(spectrum)))
    return (np.fft.irfft(spectrum, wanted) * (wanted / count))[: int(len(samples) * to / rate)].astype(np.float32)


def trim(samples):
    """Without the silence before and after."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * max(1e-6, float(np.abs(samples).max())))
    return samples[max(0, loud[0] - 160): loud[-1] + 320] if len(loud) else samples[:0]


class Cast:
    """All the voices of one group."""

    def __init__(self, folder, group):
        self.variants, self.group = prepare(folder)[group], group
        self.engine = Espeak(folder)

    def speak(self, random, text, language):
        """-> (samples at 16 kHz, trimmed, peak 0.5; a description of the voice)."""
        if language == "en" and random.random() < 0.18:
            name = random.choice(FLITE[self.group])
            sound, rate = flite(text, name, random.uniform(0.75, 1.25))
            sound, said = resample(sound, rate * random.uniform(0.94, 1.07)), "flite " + name
        else:
            accent = "ko" if language == "ko" else random.choice(("en-us", "en-us", "en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-029"))
            variant = random.choice(self.variants)
            pitch = random.choice([p for p in range(15, 90) if (p % 7 == 0) == (self.group == "test")])
            speed = int(random.triangular(110, 230, 165))
            sound = self.engine.say(text, f"{accent}+{variant}", speed, pitch, random.randint(15, 85), random.choice((0, 0, 0, 0, 1, 2, 4)))
            sound = resample(sound, self.engine.rate * random.uniform(0.93, 1.07))
            said = f"espeak {accent}+{variant} speed {speed} pitch {pitch}"
        sound = trim(sound)
        return sound * (0.5 / max(1e-6, float(np.abs(sound).max(initial=0)))), said
