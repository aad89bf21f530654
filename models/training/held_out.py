"""Models what training may never say: the item names of the test menus, and the voices kept for the test sets."""
import argparse
import collections
import functools
import json
import pathlib

import yaml

MENUS = pathlib.Path(__file__).parent / "test_menus"


@functools.lru_cache(maxsize=1)
def menus():
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(MENUS.glob("*.yaml"))}


@functools.lru_cache(maxsize=1)
def names():
    """Every held-out item name without spaces, Korean and English."""
    return tuple(sorted({name.replace(" ", "") for menu in menus().values() for item in menu["items"]
                         for many in item["names"].values() for name in many}))


def mentions(text):
    """Whether a sentence contains a held-out item name, across word boundaries too."""
    solid = text.replace(" ", "")
    return any(name in solid for name in names())


def main():
    parser = argparse.ArgumentParser(description="Counts the training sentences that contain a held-out item name (must be none) and sums up the shards.")
    parser.add_argument("data", type=pathlib.Path)
    rows = [json.loads(line) for path in sorted(parser.parse_args().data.glob("train-*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    hours = collections.Counter()
    for row in rows:
        hours[row["kind"]] += row["n"] / 16000 / 3600
    print(f"{sum(mentions(row['text']) for row in rows)} of {len(rows)} training sentences mention a held-out name")
    print(f"{sum(hours.values()):.1f} h, {len({row['text'] for row in rows})} different sentences, {len({row['voice'].split()[1].split('+')[-1] for row in rows})} voice variants:",
          ", ".join(f"{kind} {100 * part / sum(hours.values()):.0f} %" for kind, part in sorted(hours.items())))


if __name__ == "__main__":
    main()
