"""Stems of English words by the Porter2 algorithm (Snowball's "english").

In: a word in lower case.  Out: its stem; raises ValueError for a word of other letters.
"""

from __future__ import annotations

import re

_DOUBLES = ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt")
_LI = "cdeghkmnrt"
_SHORT_WORD = 2
_EXCEPTIONS = {
    "skis": "ski",
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "idly": "idl",
    "gently": "gentl",
    "ugly": "ugli",
    "early": "earli",
    "only": "onli",
    "singly": "singl",
    **{each: each for each in ("sky", "news", "howe", "atlas", "cosmos", "bias", "andes")},
}
_FINAL = frozenset(
    ("inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed")
)
_STEP_2 = (
    ("ization", "ize"),
    ("ational", "ate"),
    ("fulness", "ful"),
    ("ousness", "ous"),
    ("iveness", "ive"),
    ("tional", "tion"),
    ("biliti", "ble"),
    ("lessli", "less"),
    ("entli", "ent"),
    ("ation", "ate"),
    ("alism", "al"),
    ("aliti", "al"),
    ("ousli", "ous"),
    ("iviti", "ive"),
    ("fulli", "ful"),
    ("enci", "ence"),
    ("anci", "ance"),
    ("abli", "able"),
    ("izer", "ize"),
    ("ator", "ate"),
    ("alli", "al"),
    ("bli", "ble"),
    ("ogi", "og"),
    ("li", ""),
)
_STEP_3 = (
    ("ational", "ate"),
    ("tional", "tion"),
    ("alize", "al"),
    ("icate", "ic"),
    ("iciti", "ic"),
    ("ative", ""),
    ("ical", "ic"),
    ("ness", ""),
    ("ful", ""),
)
_STEP_4 = "ement ance ence able ible ment ant ent ism ate iti ous ive ize ion al er ic".split()  # noqa: SIM905 - as it is read


def stem(word: str) -> str:
    """Give a word's stem."""
    if re.search(r"[^a-z0-9' -]", word):
        raise ValueError(
            "NOT_SUPPORTED: word_stem of other letters than a to z is not supported by the "
            "local engine"
        )
    if len(word) <= _SHORT_WORD:
        return word
    if word in _EXCEPTIONS:
        return _EXCEPTIONS[word]
    word = word.removeprefix("'")
    word = re.sub(r"^y|(?<=[aeiouy])y", "Y", word)
    first = _region_1(word)
    second = _after(word, first)
    word = _step_1a(_step_0(word))
    if word in _FINAL:
        return word
    word = _step_1b(word, first)
    if re.search(r".[^aeiouy][yY]$", word):
        word = word[:-1] + "i"
    word = _step_2(word, first)
    word = _step_3(word, first, second)
    word = _step_4(word, second)
    return _step_5(word, first, second).replace("Y", "y")


def _region_1(word: str) -> int:
    match = re.match("gener|commun|arsen", word)
    return match.end() if match else _after(word, 0)


def _after(word: str, start: int) -> int:
    """Give the place after the first non-vowel that follows a vowel."""
    match = re.compile("[^aeiouy]*[aeiouy]+[^aeiouy]").match(word, start)
    return match.end() if match else len(word)


def _step_0(word: str) -> str:
    return re.sub("('s'|'s|')$", "", word)


def _step_1a(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[: -2 if len(word) > 4 else -1]  # noqa: PLR2004 - more than one letter before
    if word.endswith(("us", "ss")):
        return word
    if word.endswith("s") and re.search("[aeiouy].+s$", word):
        return word[:-1]
    return word


def _step_1b(word: str, first: int) -> str:
    for ending in ("eedly", "eed"):
        if word.endswith(ending):
            place = len(word) - len(ending)
            return word[:place] + "ee" if place >= first else word
    for ending in ("ingly", "edly", "ing", "ed"):
        if word.endswith(ending):
            left = word.removesuffix(ending)
            return _repaired(left, first) if re.search("[aeiouy]", left) else word
    return word


def _repaired(word: str, first: int) -> str:
    if word.endswith(("at", "bl", "iz")):
        return word + "e"
    if word.endswith(_DOUBLES):
        return word[:-1]
    return word + "e" if len(word) <= first and _ends_short(word) else word


def _ends_short(word: str) -> bool:
    return bool(re.search(r"[^aeiouy][aeiouy][^aeiouywxY]$|^[aeiouy][^aeiouy]$", word))


def _step_2(word: str, first: int) -> str:
    for ending, new in _STEP_2:
        if word.endswith(ending):
            left = word.removesuffix(ending)
            fits = {"ogi": left.endswith("l"), "li": left.endswith(tuple(_LI))}
            return left + new if len(left) >= first and fits.get(ending, True) else word
    return word


def _step_3(word: str, first: int, second: int) -> str:
    for ending, new in _STEP_3:
        if word.endswith(ending):
            left = word.removesuffix(ending)
            region = second if ending == "ative" else first
            return left + new if len(left) >= region else word
    return word


def _step_4(word: str, second: int) -> str:
    for ending in _STEP_4:
        if word.endswith(ending):
            left = word.removesuffix(ending)
            fits = ending != "ion" or left.endswith(("s", "t"))
            return left if len(left) >= second and fits else word
    return word


def _step_5(word: str, first: int, second: int) -> str:
    left = word[:-1]
    if word.endswith("e") and (
        len(left) >= second or (len(left) >= first and not _ends_short(left))
    ):
        return left
    if word.endswith("ll") and len(left) >= second:
        return left
    return word
