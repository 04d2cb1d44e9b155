"""The differences that are meant, told by their marks in the expression and the answers."""

import json
import re

LIMIT = "a limit that keeps the worker safe"
CONNECTORS = "bpmnError, jobError, ignoreError: ours follow the release after this wrapper (jobError keeps its variables)"
ORDER = "the order of keys: Camunda's is that of a hash from five keys on, ours is as written"
NAMES = "the documented names 'timezone' and 'scale': Camunda's function has other ones and answers null"
FUNCTIONS = "functions as values: Camunda's are lost or shown as Java objects, ours stay functions"
HELD_CALL = "x.f() of nothing: Camunda's error may be swallowed by what is around it, ours ends the evaluation"
BETWEEN = "x between (a) and b: Camunda's reads a function called 'x between'"
MATCH = "finishes() and its like of a point and a range by names, or in other orders: an error in Camunda's"
LENIENT = "a comment in a key, a glued type, a comparison before '..': a syntax error in Camunda's only"
BACKWARD = "if ]a..b[ then: a syntax error in ours only (a test of nothing, which is never true)"
PREFIX = "a function whose name begins with 'and' or 'or': a syntax error in Camunda's"
GLUED = "a keyword glued to the next word ('thenx'): a syntax error in ours only"
YEARS = "years beyond 9999: null in ours"
EXPONENT = "large numbers as text: Camunda's writes exponents, ours digits"
LARGE = "numbers too large for Java's int, long or double: Camunda's wrap, lose digits or are infinite"
SURROGATES = "signs beyond the basic plane: Camunda's patterns cut them in halves"
CONJUNCTION = "x in a and b: Camunda's takes 'a and b' as the test, ours is the conjunction it looks like"

HUGE = re.compile(r"9007199254740993|9{30}|1000000|0\.00000001|\*\*|\d{16}|Infinity|E\+?\d")
GLUED_WORD = re.compile(r"\b(then|else|return|and|or|satisfies|in|between|instance|of)[\w$]")


def shown(answer):
    return json.dumps(answer, default=str, ensure_ascii=False)


def ordered(text, ours, theirs):
    """Whether the answers have the same letters, or show places among entries."""
    places = "get entries(" in text and "value" in ours and "value" in theirs
    return places or sorted(shown(ours)) == sorted(shown(theirs))


def found(pattern):
    expression = re.compile(pattern, re.DOTALL)
    return lambda text, ours, theirs: expression.search(text)


def answered(pattern):
    expression = re.compile(pattern)
    return lambda text, ours, theirs: expression.search(shown(theirs))


def syntax_error(answer):
    return answer.get("error", "").startswith("line ")


RULES = [
    (LIMIT, lambda text, ours, theirs: ours.get("error", "").startswith("the expression")),
    (CONNECTORS, found(r"(jobError|ignoreError|bpmnError)\s*\(")),
    (NAMES, found(r"timezone:|scale:")),
    (HELD_CALL, lambda text, ours, theirs: ours.get("error", "").startswith("no function '")),
    (ORDER, ordered),
    (FUNCTIONS, found(r"function\s*\(.*(sort|\[|get value|get entries|to json|string)|sort.*function\s*\(")),
    (BETWEEN, found(r"[\w`] between \(")),
    (PREFIX, found(r"\b(and|or)\w+\s*\(")),
    (MATCH, lambda text, ours, theirs: "MatchError" in shown(theirs) or re.search(r"finished by\((range|point):", text)),
    (LENIENT, found(r"//|/\*\*/|instance of function\w")),
    (LENIENT, lambda text, ours, theirs: ".." in text and "failed to parse" in theirs.get("error", "")),
    (BACKWARD, found(r"\bif \]")),
    (GLUED, lambda text, ours, theirs: syntax_error(ours) and GLUED_WORD.search(text)),
    (YEARS, found(r"\d{5,}-\d\d-\d\d")),
    (YEARS, answered(r'"[+-]\d{5,}-|P-?\d{4,}Y')),
    (YEARS, lambda text, ours, theirs: ".year" in text and ours.get("value", 0) is None),
    (EXPONENT, answered(r'"[^"]*\dE[+-]\d')),
    (LARGE, lambda text, ours, theirs: HUGE.search(text) or HUGE.search(shown(theirs))),
    (LARGE, lambda text, ours, theirs: "PT" in shown(ours) and "PT" in shown(theirs) and re.search(r"[*/] ", text)),
    (SURROGATES, found("[\U00010000-\U0010ffff]")),
    (CONJUNCTION, lambda text, ours, theirs: re.search(r"\bin\b.*\b(and|or)\b", text, re.DOTALL) and "value" in ours),
]


def cause(text, ours, theirs):
    """The name of the first difference whose marks are there, or None."""
    return next((name for name, marks in RULES if marks(text, ours, theirs)), None)
