#!/usr/bin/python3
"""Models the examiner: label error rate and character error rate of greedy CTC on shards or on a test folder.

Takes a checkpoint (.pt, averaged weights) or an .onnx file (run by the project's onnxruntime-node, with its time). Spaces do not count. Sentences are heard one at a time, as in the terminal.
"""
import argparse
import json
import pathlib

import numpy as np

from front_end import features
from tokens import decode, distance, encode, greedy


def score(run, rows, show=0):
    """rows: [(features [T, 80], text)] -> error rates of the whole set."""
    wrong = total = wrong_letters = letters = exact = inserted = 0
    for seen, text in rows:
        found = greedy(run(seen[None])[0].argmax(-1))
        wanted, said, heard = encode(text), text.replace(" ", "").replace("'", ""), decode(found)
        wrong, total = wrong + distance(wanted, found), total + len(wanted)
        wrong_letters, letters = wrong_letters + distance(said, heard), letters + len(said)
        exact += said == heard
        inserted += len(found) if not wanted else 0
        if show > 0:
            show -= 1
            print(f"    {text}  ->  {heard}")
    return {"jamo": wrong / max(1, total), "characters": wrong_letters / max(1, letters), "exact": exact / max(1, len(rows)), "sentences": len(rows), "invented": inserted}


def padded(sound, before=0.15, after=0.25):
    return np.pad(sound, (int(before * 16000), int(after * 16000)))


def load_dev(folder, most=60):
    """The dev shards, clean, with a little silence around."""
    sets = {}
    for path in sorted(pathlib.Path(folder).glob("dev-*.jsonl")):
        sound = np.fromfile(path.with_suffix(".i16"), np.int16).astype(np.float32) / 32768
        with open(path, encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines][:most]
        sets[path.stem[4:]] = [(features(padded(sound[row["at"]:row["at"] + row["n"]])), row["text"]) for row in rows]
    return sets


def load_tests(folder):
    """The sets of make_test_set.py: SET/labels.json and the WAV files it names."""
    from rooms import read_wave
    sets = {}
    for path in sorted(pathlib.Path(folder).glob("*/labels.json")):
        rows = json.loads(path.read_text(encoding="utf-8"))
        languages = sorted({row["lang"] for row in rows})
        for language in languages:
            name = path.parent.name + (f" {language}" if len(languages) > 1 else "")
            sets[name] = [(features(read_wave(path.parent / row["file"])), row["text"]) for row in rows if row["lang"] == language]
    return sets


def runner(path, threads):
    if path.suffix == ".onnx":
        from onnx_runner import Runner
        return Runner(path, threads)
    import torch

    from network import restore
    model = restore(path)

    def run(seen):
        with torch.no_grad():
            return model(torch.from_numpy(seen)).numpy()
    return run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path, help="checkpoint .pt or model.onnx")
    parser.add_argument("folder", type=pathlib.Path, help="folder of make_test_set.py, or of synthesise.py for its dev shards")
    parser.add_argument("--show", type=int, default=0, help="print that many sentences of each set")
    parser.add_argument("--threads", type=int, default=2, help="of onnxruntime")
    parser.add_argument("--json", type=pathlib.Path, help="also write the numbers there")
    options = parser.parse_args()
    backend, found = runner(options.model, options.threads), {}
    run = getattr(backend, "run", backend)
    for name, rows in (load_tests(options.folder) or load_dev(options.folder)).items():
        found[name] = errors = score(run, rows, options.show)
        if errors["jamo"] or any(text for _, text in rows):
            print(f"{name:24} {errors['sentences']:4} sentences  labels {100 * errors['jamo']:5.1f} %  characters {100 * errors['characters']:5.1f} %  exact {100 * errors['exact']:5.1f} %", flush=True)
        else:
            print(f"{name:24} {errors['sentences']:4} recordings without speech  labels heard {errors['invented']}  empty {100 * errors['exact']:.1f} %", flush=True)
    if hasattr(backend, "milliseconds"):
        print(f"{backend.milliseconds / 1000:.1f} s for {backend.frames / 100:.0f} s of sound, {options.threads} threads: real-time factor {backend.milliseconds / backend.frames / 10:.4f}")
        backend.close()
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
