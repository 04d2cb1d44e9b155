"""The signatures of the functions that generated expressions call.

Types: n number, i small whole number, s text, S text without a value of its own, p pattern,
b boolean, l list, L list of numbers, T list of texts, B list of booleans, C list of contexts,
c context, k key, d date, t time, m date and time, u day-time duration, y year-month duration,
r range, x any, w any temporal, D text of a temporal, N text of a number, f order of two items,
e list of entries, z zone, J text of JSON, o rounding mode.
"""

SIGNATURES = """
not(negand: b) -> b
is defined(value: x) -> b
get or else(value: x, default: x) -> x
assert(value: x, condition: b) -> x
assert(value: x, condition: b, cause: s) -> x
string(from: x) -> s
number(from: N) -> n
number(from: N, grouping separator: S) -> n
number(from: N, grouping separator: S, decimal separator: S) -> n
to json(value: x) -> s
from json(json: J) -> x
context(entries: e) -> c
date(from: D) -> d
date(from: m) -> d
date(year: i, month: i, day: i) -> d
time(from: D) -> t
time(from: m) -> t
time(hour: i, minute: i, second: n) -> t
time(hour: i, minute: i, second: n, offset: u) -> t
date and time(from: D) -> m
date and time(date: d, time: t) -> m
date and time(date: m, timezone: z) -> m
duration(from: D) -> u
years and months duration(from: d, to: d) -> y
day of year(date: d) -> n
day of week(date: d) -> s
month of year(date: m) -> s
week of year(date: d) -> n
last day of month(date: d) -> d
decimal(n: n, scale: i) -> n
decimal(n: n, scale: i, mode: o) -> n
floor(n: n) -> n
floor(n: n, scale: i) -> n
ceiling(n: n) -> n
ceiling(n: n, scale: i) -> n
round up(n: n, scale: i) -> n
round down(n: n, scale: i) -> n
round half up(n: n, scale: i) -> n
round half down(n: n, scale: i) -> n
abs(number: n) -> n
abs(n: u) -> u
modulo(dividend: n, divisor: n) -> n
sqrt(number: n) -> n
log(number: n) -> n
exp(number: i) -> n
odd(number: n) -> b
even(number: n) -> b
substring(string: s, start position: i) -> s
substring(string: s, start position: i, length: i) -> s
string length(string: s) -> n
upper case(string: s) -> s
lower case(string: s) -> s
substring before(string: s, match: S) -> s
substring after(string: s, match: S) -> s
contains(string: s, match: S) -> b
starts with(string: s, match: S) -> b
ends with(string: s, match: S) -> b
trim(string: s) -> s
is blank(string: s) -> b
matches(input: s, pattern: p) -> b
matches(input: s, pattern: p, flags: S) -> b
replace(input: s, pattern: p, replacement: S) -> s
replace(input: s, pattern: p, replacement: S, flags: S) -> s
split(string: s, delimiter: p) -> T
extract(input: s, pattern: p) -> T
to base64(value: s) -> s
list contains(list: l, element: x) -> b
count(list: l) -> n
is empty(list: l) -> b
index of(list: l, match: x) -> L
string join(list: T) -> s
string join(list: T, delimiter: S) -> s
string join(list: T, delimiter: S, prefix: S, suffix: S) -> s
min(list: L) -> n
max(list: L) -> n
min(list: T) -> s
sum(list: L) -> n
product(list: L) -> n
mean(list: L) -> n
median(list: L) -> n
stddev(list: L) -> n
mode(list: L) -> L
all(list: B) -> b
any(list: B) -> b
and(list: B) -> b
or(list: B) -> b
sublist(list: l, start position: i) -> l
sublist(list: l, start position: i, length: i) -> l
append(list: L, items: n) -> L
append(list: l, items: l) -> l
concatenate(lists: l) -> l
insert before(list: l, position: i, newItem: x) -> l
remove(list: l, position: i) -> l
reverse(list: l) -> l
flatten(list: l) -> l
partition(list: l, size: i) -> l
union(lists: l) -> l
distinct values(list: l) -> l
duplicate values(list: l) -> l
sort(list: L, precedes: f) -> L
get entries(context: c) -> C
get value(context: c, key: k) -> x
get value(context: c, keys: T) -> x
context put(context: c, key: k, value: x) -> c
context put(context: c, keys: T, value: x) -> c
context merge(contexts: C) -> c
before(point1: n, point2: n) -> b
before(range: r, point: n) -> b
before(point: n, range: r) -> b
after(range1: r, range2: r) -> b
after(point1: n, point2: n) -> b
meets(range1: r, range2: r) -> b
met by(range1: r, range2: r) -> b
overlaps(range1: r, range2: r) -> b
overlaps before(range1: r, range2: r) -> b
overlaps after(range1: r, range2: r) -> b
finishes(point: n, range: r) -> b
finishes(range1: r, range2: r) -> b
finished by(range: r, point: n) -> b
includes(range: r, point: n) -> b
includes(range1: r, range2: r) -> b
during(point: n, range: r) -> b
during(range1: r, range2: r) -> b
starts(point: n, range: r) -> b
started by(range: r, point: n) -> b
coincides(point1: n, point2: n) -> b
coincides(range1: r, range2: r) -> b
bpmnError(errorCode: s, errorMessage: s) -> c
bpmnError(errorCode: s, errorMessage: s, variables: c) -> c
jobError(errorMessage: s) -> c
jobError(errorMessage: s, variables: c) -> c
jobError(errorMessage: s, variables: c, retries: i) -> c
jobError(errorMessage: s, variables: c, retries: i, retryBackoff: u) -> c
ignoreError() -> c
"""


def parsed(line):
    """A line as (name, [(parameter, type)], result)."""
    call, result = line.split(" -> ")
    name, parameters = call[:-1].split("(")
    pairs = [tuple(parameter.split(": ")) for parameter in parameters.split(", ") if parameter]
    return name, pairs, result


ALL = [parsed(line) for line in SIGNATURES.strip().splitlines()]


def answering(kind):
    """The functions that answer this type."""
    return [function for function in ALL if function[2] == kind]
