"""Models the labels of the recogniser: conjoining jamo and Latin letters, index 0 is the CTC blank.

A Korean syllable is written as onset, vowel and coda code points (NFD). The silent onset (U+110B) is left out: whoever
reads the output puts it back in front of every vowel that follows no onset, and NFC then gives the text. Spaces and
punctuation have no label.
"""
import unicodedata

SILENT = "\u110b"
ONSETS = [chr(c) for c in range(0x1100, 0x1113) if chr(c) != SILENT]
VOWELS = [chr(c) for c in range(0x1161, 0x1176)]
CODAS = [chr(c) for c in range(0x11A8, 0x11C3)]
LETTERS = [chr(c) for c in range(ord("a"), ord("z") + 1)]
TOKENS = [""] + ONSETS + VOWELS + CODAS + LETTERS
INDEX = {token: number for number, token in enumerate(TOKENS) if token}
BLANK = 0


def encode(text):
    """Spoken text to label numbers; what has no label is skipped."""
    return [INDEX[c] for c in unicodedata.normalize("NFD", text.lower()) if c in INDEX]


def decode(numbers):
    """Label numbers (no blanks, repeats already merged) to text without spaces."""
    out, open_onset = [], False
    for number in numbers:
        token = TOKENS[number]
        if "\u1161" <= token <= "\u1175" and not open_onset:
            out.append(SILENT)
        out.append(token)
        open_onset = "\u1100" <= token <= "\u1112"
    return unicodedata.normalize("NFC", "".join(out))


def greedy(best):
    """The best label of every frame to merged label numbers."""
    out, last = [], BLANK
    for number in best:
        if number != last and number != BLANK:
            out.append(int(number))
        last = number
    return out


def distance(a, b):
    """Edit distance of two sequences."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        corner, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (x != y))
    return row[-1]
