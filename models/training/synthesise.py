#!/usr/bin/python3
"""Models a day of customers: writes shards of synthetic speech with the words that were said.

A shard is NAME.i16 (16 kHz mono int16, one utterance after the other, no silence around) and NAME.jsonl (place, length,
text, language, voice). Shards appear one by one, so training can start after the first. Dev shards are written first.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import random as rnd
import time

import numpy as np

import english_text
import korean_sentences
from front_end import RATE
from held_out import mentions
from voices import Cast, prepare

LONGEST = 9.0  # seconds
MIXTURE = {"ko-short": 0.12, "ko-domain": 0.27, "ko-diverse": 0.38, "en": 0.23}
_MAKE = {"ko-short": korean_sentences.short, "ko-domain": korean_sentences.domain, "ko-diverse": korean_sentences.diverse, "en": english_text.sentence}


def sentence(random, kind):
    """A sentence of that kind without any held-out item name."""
    while True:
        text = _MAKE[kind](random)
        if text and len(text) < 90 and not mentions(text):
            return text


def write_shard(path, cast, random, kinds, seconds):
    rows, sounds, at = [], [], 0
    while at < seconds * RATE:
        kind = random.choices(list(kinds), list(kinds.values()))[0]
        language = kind[:2]
        text = sentence(random, kind)
        sound, voice = cast.speak(random, text, language)
        if not 0.12 * RATE < len(sound) < LONGEST * RATE:
            continue
        sounds.append((sound * 32767).astype(np.int16))
        rows.append({"at": at, "n": len(sound), "text": text, "lang": language, "kind": kind, "voice": voice})
        at += len(sound)
    np.concatenate(sounds).tofile(f"{path}.i16")
    with open(f"{path}.part", "w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    os.replace(f"{path}.part", f"{path}.jsonl")  # the shard is complete when its list appears
    return len(rows)


def work(folder, worker, workers, shards, seconds, seed):
    cast, started = Cast(folder, "train"), time.time()
    for number in range(worker, shards, workers):
        path = folder / f"train-{seed}-{number:03d}"
        if path.with_suffix(".jsonl").exists():
            continue
        rows = write_shard(path, cast, rnd.Random(f"{seed} {number}"), MIXTURE, seconds)
        print(f"shard {number + 1} of {shards}: {rows} utterances, {time.time() - started:.0f} s", flush=True)


def dev(folder, seconds):
    cast = Cast(folder, "dev")
    for kind in MIXTURE:
        if not (folder / f"dev-{kind}.jsonl").exists():
            write_shard(folder / f"dev-{kind}", cast, rnd.Random("dev " + kind), {kind: 1}, seconds * (0.4 if "short" in kind else 1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, help="folder for the shards")
    parser.add_argument("--hours", type=float, default=60, help="speech to write (default 60, 115 MB an hour)")
    parser.add_argument("--shard", type=float, default=0.5, help="hours in a shard (default 0.5)")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="another seed adds other shards to the same folder")
    options = parser.parse_args()
    options.data.mkdir(parents=True, exist_ok=True)
    prepare(options.data)
    shards = max(1, round(options.hours / options.shard))
    jobs = [multiprocessing.Process(target=dev, args=(options.data, 150))]
    jobs += [multiprocessing.Process(target=work, args=(options.data, n, options.workers, shards, options.shard * 3600, options.seed)) for n in range(options.workers)]
    for job in jobs:
        job.start()
    try:
        for job in jobs:
            job.join()
    except KeyboardInterrupt:
        pass  # whole shards stay, the next run goes on behind them
    if any(job.exitcode for job in jobs):
        raise SystemExit("a worker failed")


if __name__ == "__main__":
    main()
