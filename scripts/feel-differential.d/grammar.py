"""Expressions at random: mostly well typed, some of them not, some no expressions at all."""

from functions import ALL, answering
from leaves import LEAVES

ILL_TYPED = 0.03
MALFORMED = 0.06
COMPARISONS = ["=", "!=", "<", "<=", ">", ">="]
TYPES = ["number", "string", "boolean", "list", "context", "date", "time", "function", "Any", "null", "date and time",
         "days and time duration", "years and months duration", "day-time-duration", "Record"]
FIELDS = {"number": "s", "sys_id": "s", "short_description": "s", "active": "s", "priority": "s", "score": "n",
          "opened_at": "s", "state": "c", "assigned_to": "c", "close_notes": "x", "`u-odd name`": "x", "missing": "x"}
PROPERTIES = {"d": "year month day weekday", "t": "hour minute second", "m": "year hour weekday second timezone date",
              "u": "days hours minutes seconds", "y": "years months"}
STRAY = '()[]{}",.:=<>-+*/? \n`@_?;'
STRAYS = [" and ", " in ", " then ", "..", "//", "/* */", "null", " or", "not", "**", ">=", "!="]
# Every name that a literal context may use, plain and odd.
KEYS = ["a", "b", "n", "key", '"x y"', "größe", "in", "type", '"a-b"', "item", "list", "not", "if"]
START = "nnssbbbllLTCccdtmuyx"


class Grammar:
    """Makes expressions; what it makes depends on the random numbers alone."""

    def __init__(self, random):
        self.random = random
        self.bound = []

    def expression(self):
        text = self.of(self.pick(START), self.pick([1, 2, 2, 3, 3, 4]))
        if self.chance(0.1):
            text = "=" + text
        return self.malformed(text) if self.chance(MALFORMED) else text

    def malformed(self, text):
        """The text with a few signs lost, doubled, swapped or put in."""
        for _ in range(self.random.randint(1, 2)):
            at = self.random.randrange(len(text) + 1)
            head, tail = text[:at], text[at:]
            text = self.pick([head + tail[1:], head + tail[:2] + tail, head + tail[1:2] + tail[:1] + tail[2:],
                              head + self.pick(STRAY) + tail, head + self.pick(STRAYS) + tail, head])
        return text

    def pick(self, options):
        return self.random.choice(options)

    def chance(self, share):
        return self.random.random() < share

    def of(self, kind, depth):
        """An expression of this type, now and then of another one."""
        if self.chance(ILL_TYPED):
            kind = self.pick("nsblcdtmuyrx")
        if kind == "x":
            kind = self.pick("nnsssbblLcdtmuy")
        if depth <= 0 or self.chance(0.1):
            return self.leaf(kind)
        makers = [self.call] * 3 + [self.wrapped] + [getattr(self, name) for name in MAKERS.get(kind, ["leaf"])]
        return self.pick(makers)(kind, depth - 1)

    def leaf(self, kind, _depth=0):
        names = [name for name, bound in self.bound if bound == kind]
        if names and self.chance(0.6):
            return self.pick(names)
        return self.pick(LEAVES.get(kind, ["nothing", "missing", "null"]))

    def operand(self, kind, depth):
        """An expression that may stand beside an operator."""
        text = self.of(kind, depth)
        return f"({text})" if " " in text and self.chance(0.8) else text

    # --- for every type -----------------------------------------------------------------

    def call(self, kind, depth):
        fitting = answering(kind)
        if not fitting:
            return self.leaf(kind)
        name, parameters, _ = self.pick(ALL if self.chance(0.02) else fitting)
        arguments = [(key, self.of(type, depth)) for key, type in parameters]
        if arguments and self.chance(0.02):
            arguments.pop()
        if self.chance(0.01):
            arguments.append(("more", self.of("x", 0)))
        if arguments and self.chance(0.12):
            if self.chance(0.2):
                arguments.reverse()
            return f"{name}({', '.join(f'{key}: {value}' for key, value in arguments)})"
        return f"{name}({', '.join(value for _, value in arguments)})"

    def wrapped(self, kind, depth):
        """The expression inside something that answers it."""
        inner = self.of(kind, depth)
        shape = self.pick(["if", "if", "context", "list", "default", "parentheses", "value", "comment"])
        if shape == "if":
            return f"if {self.of('b', depth)} then {inner} else {self.of(kind, depth)}"
        if shape == "context":
            return f"{{a: {inner}, b: {self.of('x', 0)}}}.a"
        if shape == "list":
            return f"[{self.of('x', 0)}, {inner}][{self.pick(['2', '-1', '1', 'count', '0', '3'])}]"
        if shape == "default":
            return f"get or else({self.pick(['nothing', 'missing', 'record.missing', inner])}, {inner})"
        if shape == "value":
            return f'get value({{k: {inner}}}, "k")'
        return f"({inner})" if shape == "parentheses" else f"/* a */ {inner}"

    # --- numbers, texts, temporals ------------------------------------------------------

    def arithmetic(self, kind, depth):
        return f"{self.operand('n', depth)} {self.pick('++--**//') if self.chance(0.92) else '**'} {self.operand('n', depth)}"

    def negated(self, kind, depth):
        return f"-{self.operand(kind, depth)}"

    def property(self, kind, depth):
        owner = self.pick(list(PROPERTIES))
        return f"{self.operand(owner, depth)}.{self.pick(PROPERTIES[owner].split())}"

    def index(self, kind, depth):
        return f"{self.operand({'n': 'L', 's': 'T', 'c': 'C'}.get(kind, 'l'), depth)}[{self.of('i', depth)}]"

    def joined(self, kind, depth):
        return f"{self.operand('s', depth)} + {self.operand('s', depth)}"

    def moved(self, kind, depth):
        return f"{self.operand(kind, depth)} {self.pick('+-')} {self.operand(self.pick('uuy'), depth)}"

    def difference(self, kind, depth):
        other = self.pick("dmt") if kind == "u" else "y"
        return f"{self.operand(other, depth)} - {self.operand(other, depth)}"

    def scaled(self, kind, depth):
        return f"{self.operand(kind, depth)} {self.pick('*/')} {self.operand('n', depth)}"

    # --- conditions ---------------------------------------------------------------------

    def compared(self, kind, depth):
        kind = self.pick("nnnsssbblcdtmuyx")
        return f"{self.operand(kind, depth)} {self.pick(COMPARISONS)} {self.operand(kind, depth)}"

    def logical(self, kind, depth):
        terms = [self.operand("b", depth) for _ in range(self.pick([2, 2, 3]))]
        text = terms[0]
        for term in terms[1:]:
            text += f" {self.pick(['and', 'or'])} {term}"
        return text

    def between(self, kind, depth):
        kind = self.pick("nnsdmtuy")
        low, high = self.operand(kind, depth), self.operand(kind, depth)
        return f"{self.operand(kind, depth)} between {low} and {high}"

    def tested(self, kind, depth):
        kind = self.pick("nnnsd")
        tests = [self.test(kind, depth) for _ in range(self.pick([1, 1, 2, 3]))]
        text = ", ".join(tests)
        one = len(tests) == 1 and self.chance(0.6)
        return f"{self.operand(kind, depth)} in {text if one else f'({text})'}"

    def test(self, kind, depth):
        shape = self.pick(["compare", "range", "list", "value", "value", "condition"])
        if shape == "compare":
            return f"{self.pick(COMPARISONS)} {self.operand(kind, depth)}"
        if shape == "range":
            ends = f"{self.operand(kind, 0)}..{self.operand(kind, 0)}"
            return f"{self.pick('[(]')}{ends}{self.pick('])[')}"
        if shape == "list":
            return f"[{self.of(kind, 0)}, {self.of(kind, 0)}]"
        return self.of(kind, depth) if shape == "value" else f"? {self.pick(COMPARISONS)} {self.operand(kind, depth)}"

    def typed(self, kind, depth):
        return f"{self.operand('x', depth)} instance of {self.pick(TYPES)}"

    def quantified(self, kind, depth):
        some = self.pick(["some", "every"])
        iterators, bound = self.iterators(depth)
        return f"{some} {iterators} satisfies {self.within(bound, 'b', depth)}"

    # --- lists and contexts -------------------------------------------------------------

    def iterators(self, depth):
        """The iterators of a loop as text, and the names they bind."""
        texts, bound = [], []
        for name in self.pick([["x"], ["x"], ["i"], ["x", "y"]]):
            kind = self.pick("nnsc")
            if kind == "n" and self.chance(0.4):
                source = f"{self.leaf('i')}..{self.leaf('i')}"
            else:
                source = self.of({"n": "L", "s": "T", "c": "C"}[kind], depth)
            texts.append(f"{name} in {source}")
            bound.append((name, kind))
        return ", ".join(texts), bound

    def within(self, bound, kind, depth):
        self.bound += bound
        text = self.of(kind, depth)
        del self.bound[len(self.bound) - len(bound):]
        return text

    def loop(self, kind, depth):
        iterators, bound = self.iterators(depth)
        item = {"L": "n", "T": "s", "C": "c"}.get(kind, self.pick("xxsnc"))
        if self.chance(0.06):
            return f"for {iterators} return {self.of(item, 0)} + (if is empty(partial) then 0 else sum(partial))"
        return f"for {iterators} return {self.within(bound, item, depth)}"

    def filtered(self, kind, depth):
        source = {"l": self.pick("lLTC"), "B": "B"}.get(kind, kind)
        item = {"L": "n", "T": "s", "C": "c"}.get(source, "x")
        bound = [("item", item)] * 3
        if source == "C" and self.chance(0.8):
            bound = [(f"item.{name}" if self.chance(0.3) else name, type) for name, type in FIELDS.items()]
        return f"{self.operand(source, depth)}[{self.within(bound, self.pick('bbbbbbn'), depth)}]"

    def mapped(self, kind, depth):
        return f"{self.operand('C', depth)}.{self.pick(list(FIELDS))}"

    def items(self, kind, depth):
        item = {"L": "n", "T": "s", "C": "c", "B": "b"}.get(kind, "x")
        return f"[{', '.join(self.of(item, depth) for _ in range(self.pick([0, 1, 2, 2, 3])))}]"

    def entries(self, kind, depth):
        keys = self.random.sample(KEYS, self.pick([0, 1, 2, 2, 3]))
        pairs = [f"{key}: {self.of('x', depth)}" for key in keys]
        return f"{{{', '.join(pairs)}}}"

    def key(self, kind, depth):
        """What stands under a key of a context."""
        names = [name for name, type in FIELDS.items() if type in (kind, "x")] or ["missing"]
        return f"{self.operand('c', depth)}.{self.pick(names)}"

    def invoked(self, kind, depth):
        """A function of the expression's own, called at once."""
        body = self.within([("x", "n")], kind, depth)
        argument = self.of("n", depth)
        named = f"x: {argument}" if self.chance(0.2) else argument
        return f"{{f: function(x) {body}, r: f({named})}}.r"


MAKERS = {
    "n": "arithmetic arithmetic arithmetic negated property property index key invoked".split(),
    "s": "joined joined index key invoked".split(),
    "b": "compared compared compared logical logical between tested tested typed quantified quantified".split(),
    "l": "items loop loop filtered filtered mapped".split(),
    "L": "items loop filtered".split(),
    "T": "items loop filtered mapped".split(),
    "C": "items loop filtered filtered".split(),
    "B": "items loop".split(),
    "c": "entries entries entries index key".split(),
    "d": ["moved"],
    "t": ["moved"],
    "m": ["moved"],
    "u": "moved difference scaled negated".split(),
    "y": "moved scaled negated".split(),
}
