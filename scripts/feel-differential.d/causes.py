"""The differences that are meant, told by their marks in the expression and the answers."""

import json
import re

CONNECTORS = "connector functions: ours follow the release after this wrapper (variables kept, ignoreError)"
ORDER = "order of keys: Camunda's is that of a hash from five keys on, ours is as written"
LARGE = "numbers too large for Java's int, long or double: Camunda's wrap, lose digits or become Infinity"
ZONE_NAME = "date and time(date: ..., timezone: ...): Camunda's finds no function by its documented names"
CONJUNCTION = "x in a and b: Camunda's takes 'a and b' as the test, ours as the conjunction it looks like"
LIMIT = "a limit that keeps the worker safe"
EXPONENT = "text of large numbers: Camunda's writes exponents, ours digits"
YEARS = "years beyond 9999"

HUGE = re.compile(r"9007199254740993|9{30}|0\.00000001|\*\*|e\+?[1-9]\d|\d{16}", re.IGNORECASE)
BARE_CONJUNCTION = re.compile(r"\bin\b.*\b(and|or)\b", re.DOTALL)


def letters(answer):
    return sorted(json.dumps(answer, default=str, ensure_ascii=False))


def ordered(text, ours, theirs):
    """Whether the answers have the same letters, or show places among entries."""
    places = "get entries(" in text and "value" in ours and "value" in theirs
    return places or letters(ours) == letters(theirs)


RULES = [
    (CONNECTORS, lambda text, ours, theirs: re.search(r"(jobError|ignoreError|bpmnError)\(", text)),
    (LIMIT, lambda text, ours, theirs: "the expression" in ours.get("error", "")),
    (ZONE_NAME, lambda text, ours, theirs: "timezone:" in text),
    (ORDER, ordered),
    (YEARS, lambda text, ours, theirs: re.search(r'"[+-]\d{5,}-', json.dumps(theirs, default=str))),
    (EXPONENT, lambda text, ours, theirs: re.search(r'"[^"]*\dE[+-]\d', json.dumps(theirs, default=str))),
    (LARGE, lambda text, ours, theirs: HUGE.search(text)),
    (CONJUNCTION, lambda text, ours, theirs: BARE_CONJUNCTION.search(text) and "value" in ours),
]


def cause(text, ours, theirs):
    """The name of the first difference whose marks are there, or None."""
    return next((name for name, marks in RULES if marks(text, ours, theirs)), None)
