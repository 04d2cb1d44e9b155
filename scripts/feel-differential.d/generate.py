"""Writes COUNT expressions with their variables as JSON lines: the same for the same seed."""

import json
import random
import sys

from grammar import Grammar
from records import response

# A few responses are shared by all expressions; reading them is not what is tested.
RESPONSES = 40


def lines(seed, count):
    source = random.Random(seed)
    contexts = [response(source) for _ in range(RESPONSES)]
    grammar = Grammar(source)
    for _ in range(count):
        yield {"expr": grammar.expression(), "context": source.choice(contexts)}


if __name__ == "__main__":
    for line in lines(int(sys.argv[1]), int(sys.argv[2])):
        print(json.dumps(line, ensure_ascii=False))
