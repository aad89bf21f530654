"""Models the school day: batches of features and labels out of the shards that are there, made in worker processes.

Each worker draws utterances at random, puts those of like length together and distorts every one anew, so the same
recording never sounds the same twice. Shards that appear later are picked up.
"""
import json
import multiprocessing
import pathlib
import queue
import signal

import numpy as np

from front_end import HOP, RATE
from rooms import Rooms
from tokens import encode


class Shards:
    def __init__(self, folder, prefix):
        self.folder, self.prefix, self.known, self.sounds, self.rows = pathlib.Path(folder), prefix, set(), [], []

    def refresh(self):
        for path in sorted(self.folder.glob(self.prefix + "*.jsonl")):
            if path not in self.known:
                self.known.add(path)
                self.sounds.append(np.memmap(path.with_suffix(".i16"), np.int16, "r"))
                with open(path, encoding="utf-8") as lines:
                    for row in map(json.loads, lines):
                        self.rows.append((len(self.sounds) - 1, row["at"], row["n"], row["text"], row["kind"]))
        return len(self.rows)

    def sound(self, row):
        shard, at, count = row[:3]
        return self.sounds[shard][at:at + count].astype(np.float32) / 32768

    def anything(self, rng, count):
        shard = self.sounds[rng.integers(len(self.sounds))]
        start = rng.integers(max(1, len(shard) - count))
        return np.resize(shard[start:start + count], count).astype(np.float32) / 32768


def batches(folder, seconds, seed, recordings, plan):
    """Endless (features [B, T, 80], labels)."""
    rng = np.random.default_rng(seed)
    shards = Shards(folder, "train-")
    shards.refresh()
    rooms = Rooms(seed, shards.anything, recordings)
    while True:
        shards.refresh()
        seconds_most, rooms.gentle = plan()
        limit = seconds_most * RATE
        chosen = [shards.rows[i] for i in rng.integers(len(shards.rows), size=1200)]
        chosen = sorted((row for row in chosen if row[2] <= limit), key=lambda row: row[2] + rng.uniform(0, 0.4) * RATE)
        groups, group, most = [], [], 0
        for row in chosen:
            most = max(most, row[2] + RATE // 2)
            if group and most * (len(group) + 1) > seconds * RATE:
                groups.append(group)
                group, most = [], row[2] + RATE // 2
            group.append(row)
        for number in rng.permutation(len(groups)):
            placed = [rooms.place(shards.sound(row)) for row in groups[number]]
            frames = -(-max(map(len, placed)) // (4 * HOP)) * 4
            spoken = [rng.random() > 0.02 for _ in placed]
            seen = np.stack([rooms.hear(sound, frames, speech) for sound, speech in zip(placed, spoken)])
            yield seen, [encode(row[3]) if speech else [] for row, speech in zip(groups[number], spoken)]


def _serve(out, longest, gentle, *arguments):
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the trainer saves, then ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for batch in batches(*arguments, lambda: (longest.value, gentle.value)):
        out.put(batch)


class Feed:
    """Worker processes that keep a few batches ready."""

    def __init__(self, folder, seconds, seed, recordings, workers):
        self.longest, self.gentle = multiprocessing.Value("d", 2.0), multiprocessing.Value("d", 1.0)
        self.queue = multiprocessing.Queue(maxsize=8)
        self.jobs = [multiprocessing.Process(target=_serve, daemon=True, args=(self.queue, self.longest, self.gentle, folder, seconds, seed + 1000 * n, recordings))
                     for n in range(workers)]
        for job in self.jobs:
            job.start()

    def next(self):
        while True:
            try:
                return self.queue.get(timeout=20)
            except queue.Empty:
                if not any(job.is_alive() for job in self.jobs):
                    raise RuntimeError("the workers that make batches have died")
