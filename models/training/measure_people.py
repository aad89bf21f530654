#!/usr/bin/python3
"""Models a reality check: recordings of people ordering coffee in English, labelled with slots, not with words.

FOLDER holds wav/ID.flac and labels.json {ID: {slots: {slot: value}}}. For every slot a person filled, the value whose
letters come nearest to some stretch of the greedy output must be the labelled one. Needs sox. Not used for tuning.
"""
import argparse
import collections
import json
import pathlib
import subprocess

import numpy as np

from front_end import features
from measure import runner
from tokens import decode, greedy


def nearest(value, heard):
    """Edit distance of a value to the best stretch of the text, per letter."""
    row = [0] * (len(heard) + 1)
    for i, letter in enumerate(value, 1):
        corner, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (letter != other))
    return min(row) / len(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--skip", type=int, default=0, help="leave out the first recordings (those mixed into training as background babble)")
    parser.add_argument("--show", type=int, default=0)
    options = parser.parse_args()
    labels = json.loads((options.folder / "labels.json").read_text(encoding="utf-8"))
    values = collections.defaultdict(set)
    for label in labels.values():
        for slot, value in label["slots"].items():
            values[slot].add(value)
    backend = runner(options.model, 2)
    run, right, total = getattr(backend, "run", backend), collections.Counter(), collections.Counter()
    for path in sorted((options.folder / "wav").glob("*.flac"))[options.skip:]:
        raw = subprocess.run(["sox", str(path), "-r", "16000", "-c", "1", "-b", "16", "-e", "signed", "-t", "raw", "-"], check=True, capture_output=True).stdout
        heard = decode(greedy(run(features(np.frombuffer(raw, "<i2").astype(np.float32) / 32768)[None])[0].argmax(-1)))
        if options.show > 0:
            options.show -= 1
            print("   ", labels[path.stem]["slots"], "->", heard)
        for slot, value in labels[path.stem]["slots"].items():
            best = min(sorted(values[slot]), key=lambda v: (nearest(v.replace(" ", ""), heard), -len(v)))
            right[slot] += best == value
            total[slot] += 1
    for slot in sorted(total):
        print(f"{slot:16} {right[slot]:4} of {total[slot]:4}  {100 * right[slot] / total[slot]:5.1f} %   ({len(values[slot])} values)")
    print(f"{'all':16} {sum(right.values()):4} of {sum(total.values()):4}  {100 * sum(right.values()) / sum(total.values()):5.1f} %")


if __name__ == "__main__":
    main()
