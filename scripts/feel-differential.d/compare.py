"""Compares two sides' answers and says how they differ."""

import json
import sys
from collections import Counter
from decimal import Decimal
from itertools import zip_longest

from causes import cause


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines]


def alike(ours, theirs):
    """Numbers by value (Camunda's are machine numbers, ours are exact), contexts without order."""
    if isinstance(ours, Decimal) and isinstance(theirs, Decimal):
        return ours == theirs or float(ours) == float(theirs)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(alike, ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(alike(ours[key], theirs[key]) for key in ours)
    return type(ours) is type(theirs) and ours == theirs


def agree(ours, theirs):
    if "error" in ours or "error" in theirs:
        return "error" in ours and "error" in theirs
    return alike(ours["value"], theirs["value"])


def plain(number):
    """A number as JSON shows it."""
    return int(number) if number == number.to_integral_value() else float(number)


def short(answer):
    text = json.dumps(answer, ensure_ascii=False, default=plain)
    return text if len(text) <= 160 else text[:159] + "…"


def kind(answer):
    if "error" in answer:
        return "an error"
    return "null" if answer["value"] is None else "a value"


def report(agreed, differences):
    total = sum(agreed.values()) + len(differences)
    count = sum(agreed.values())
    print(f"{count} of {total} expressions agree ({100 * count / total:.2f} %): {dict(agreed)}")
    named = Counter(difference["cause"] for difference in differences)
    for name, count in named.most_common():
        print(f"\n{count} differ: {name or 'UNEXPLAINED'}")
        if name:
            continue
        for difference in differences:
            if not difference["cause"]:
                print(f"  {difference['expr']}\n    ours:   {short(difference['ours'])}\n    theirs: {short(difference['theirs'])}")
    return named[None]


def main(run):
    cases, ours, theirs = (read(f"{run}.{part}.jsonl") for part in ("cases", "ours", "theirs"))
    agreed, differences = Counter(), []
    for case, our, their in zip_longest(cases, ours, theirs):
        if agree(our, their):
            agreed[kind(our)] += 1
        else:
            why = cause(case["expr"], our, their)
            differences.append({"cause": why, **case, "ours": our, "theirs": their})
    with open(f"{run}.differences.jsonl", "w", encoding="utf-8") as file:
        for difference in differences:
            file.write(json.dumps(difference, ensure_ascii=False, default=plain) + "\n")
    unexplained = report(agreed, differences)
    print(f"\nall differences: {run}.differences.jsonl")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
