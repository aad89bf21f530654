#!/usr/bin/python3
"""Models the examination: writes the test sets as WAV files with labels.json, always the same ones.

  orders-heldout         Korean orders over menus whose item names training never said, in voices it never heard
  orders-heldout-noise   the same recordings with noise at 10 dB (white, pink, brown, babble)
  orders-english         English orders over the same menus, unheard voices
  short-answers          answers of one or two words, Korean and English
  silence                silence, hiss, hum and clatter: nothing must be understood

labels.json is a list of {file, text, lang, menu, items: [{id, quantity, options}]}; options holds what was said and
nothing else. The menus are copied to OUT/menus. Nothing here is looked at while training or tuning.
"""
import argparse
import json
import pathlib
import random as rnd
import shutil
import tempfile
import wave

import numpy as np

import english_text
import korean_sentences
import test_orders
from front_end import RATE
from held_out import MENUS, menus
from rooms import Rooms, coloured
from voices import Cast


def write_wave(path, sound):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).round().astype("<i2").tobytes())


def write_set(folder, rows):
    folder.mkdir(parents=True, exist_ok=True)
    labels = []
    for number, (sound, label) in enumerate(rows):
        name = f"{number:04d}.wav"
        write_wave(folder / name, sound)
        labels.append({"file": name, **label})
    (folder / "labels.json").write_text(json.dumps(labels, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{folder.name}: {len(labels)} recordings", flush=True)


def recorded(random, rng, sound):
    """A little silence around, a faint hiss, a level between -3 and -25 dB of full scale."""
    sound = np.pad(sound, (int(random.uniform(0.1, 0.4) * RATE), int(random.uniform(0.2, 0.5) * RATE)))
    sound = sound * (10 ** (-random.uniform(3, 25) / 20) / max(1e-6, np.abs(sound).max()))
    return sound + rng.standard_normal(len(sound)).astype(np.float32) * 10 ** (-75 / 20)


def orders(random, rng, cast, count, language):
    titles = list(menus())
    for number in range(count):
        title = titles[number % len(titles)]
        menu = menus()[title]
        while True:
            text, items = test_orders.korean(random, title, menu) if language == "ko" else test_orders.english(random, menu)
            sound, _ = cast.speak(random, text, language)
            if 0.3 * RATE < len(sound) < 9 * RATE:
                break
        yield recorded(random, rng, sound), {"text": text, "lang": language, "menu": title, "items": items}


def short_answers(random, rng, cast, count):
    for number in range(count):
        language = "en" if number % 4 == 3 else "ko"
        while True:
            text = random.choice(english_text.SHORT if language == "en" else korean_sentences.SHORT)
            sound, _ = cast.speak(random, text, language)
            if len(sound) > 0.08 * RATE:
                break
        yield recorded(random, rng, sound), {"text": text, "lang": language, "menu": None, "items": []}


def with_noise(rng, rows, decibels):
    voices = [sound for sound, _ in rows]
    steady = [coloured(rng, slope) for slope in (0, 1, 2)]
    for number, (sound, label) in enumerate(rows):
        if number % 4 == 3:
            noise = sum(np.resize(voices[rng.integers(len(voices))], len(sound)) for _ in range(5))
        else:
            start = rng.integers(len(steady[0]) - len(sound))
            noise = steady[number % 4][start:start + len(sound)]
        loud = np.abs(sound) > 0.02 * np.abs(sound).max()
        level = np.sqrt(np.mean(sound[loud] ** 2)) * 10 ** (-decibels / 20)
        mixed = sound + noise * (level / np.sqrt(np.mean(noise ** 2)))
        yield mixed / max(1.0, float(np.abs(mixed).max())), label


def nothing(rng, count):
    rooms = Rooms(int(rng.integers(1 << 30)), None)
    for number in range(count):
        size = int(rng.uniform(0.5, 5) * RATE)
        if number % 5 == 0:
            sound = np.zeros(size, np.float32)
        elif number % 5 in (1, 2):
            sound = rooms.pick(rooms.steady[rng.integers(5)], size).copy()
        else:
            at = np.arange(size) / RATE
            sound = sum(np.sin(2 * np.pi * float(rng.choice((50, 60, 120))) * k * at) / k for k in (1, 2, 3)) + 0.2 * rooms.pick(rooms.steady[1], size)
            for _ in range(rng.integers(0, 6)):
                start = rng.integers(max(1, size - 1600))
                knock = rng.standard_normal(min(1600, size - start))
                sound[start:start + len(knock)] += 4 * knock * np.exp(-np.arange(len(knock)) / rng.uniform(50, 300))
        peak = 10 ** (-rng.uniform(6, 60) / 20)
        yield (sound * (peak / max(1e-6, np.abs(sound).max()))).astype(np.float32), {"text": "", "lang": "ko", "menu": None, "items": []}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--orders", type=int, default=330, help="Korean orders (a third of it in English)")
    parser.add_argument("--seed", type=int, default=20261120)
    options = parser.parse_args()
    random, rng = rnd.Random(options.seed), np.random.default_rng(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(MENUS, options.out / "menus", dirs_exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        cast = Cast(scratch, "test")
        clean = list(orders(random, rng, cast, options.orders, "ko"))
        write_set(options.out / "orders-heldout", clean)
        write_set(options.out / "orders-heldout-noise", with_noise(rng, clean, 10))
        write_set(options.out / "orders-english", orders(random, rng, cast, options.orders // 3, "en"))
        write_set(options.out / "short-answers", short_answers(random, rng, cast, 240))
    write_set(options.out / "silence", nothing(rng, 60))


if __name__ == "__main__":
    main()
