"""Models what training may never say: the item names of the test menus, and the voices kept for the test sets."""
import functools
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
