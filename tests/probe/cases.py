"""Sources that are hard to analyse, and the rules to analyse them by."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """A source, with coverage.py's own rules where none are given."""

    source: bytes
    exclude: tuple[str, ...] | None = None
    partial: tuple[str, ...] | None = None


CASES = {
    "empty": Case(b""),
    "one newline": Case(b"\n"),
    "only comments": Case(b"# one\n# two\n"),
    "only a docstring": Case(b'"""One.\n\nTwo.\n"""\n'),
    "comments before a docstring": Case(b'#!/usr/bin/env python\n\n"""One.\nTwo."""\nx = 1\n'),
    "no newline at the end": Case(b"if x:\n    y = 1"),
    "no newline after a comment": Case(b"x = (1,\n 2)  # c"),
    "latin-1 declared": Case(b"# coding: latin-1\nif x:\n    y = '\xe9'  # pragma: no cover\n"),
    "declared on line 2": Case(b"#!/bin/sh\n# -*- coding: cp1252 -*-\nx = '\x80'\n"),
    "declared falsely": Case(b"# coding: utf-8\nx = '\xe9'\n"),
    "unknown encoding": Case(b"# coding: klingon\nx = 1\n"),
    "undecodable": Case(b"x = 1  # \xff\xfe\nif x:\n    y\n"),
    "utf-16": Case("x = 1\n".encode("utf-16")),
    "bom": Case(b"\xef\xbb\xbfif x:\n    y = 1\n"),
    "bom against a declaration": Case(b"\xef\xbb\xbf# coding: latin-1\nx = 1\n"),
    "form feeds": Case(b"x = 1\n\x0cif x:\n    y = 2\n\x0c\n\x0cdef f():\n\x0c    return 1\n"),
    "form feed in a string": Case(b"x = 'a\x0cb'\nif x: y = 1\n"),
    "crlf": Case(b"if x:\r\n    y = (1,\r\n     2)\r\nz = '''a\r\nb'''\r\n"),
    "lone cr": Case(b"if x:\r    y = 1\rz = 2\r"),
    "mixed ends": Case(b"if x:\n    y = 1\r\nelse:\r    z = 2\n"),
    "separators that are no line ends": Case("x = '\u2028\x85\x1c'\nif x:\n    y = 1\n".encode()),
    "tabs": Case(b"if x:\n\ty = 1\n\tif y:\n\t\tz = 2\n"),
    "tabs mixed with spaces": Case(b"if x:\n\ty = 1\n        z = 2\n"),
    "match": Case(b"""\
match x:
    case 1:
        a
    case [1, *_] if b:
        c
    case _:
        d  # pragma: no cover
case = match = 3
match = case
"""),
    "match without a wildcard": Case(b"""\
def f(x):
    match x:
        case 1: return 1
        case 2:
            return 2
"""),
    "decorators": Case(b"""\
@one
@two(
  1,
)
def f(a=1,
      b=2):
    return a

@three
class C:
    @four
    @five  # pragma: no cover
    def g(self):
        if a:
            b
"""),
    "multi-line statements": Case(b"""\
x = [
 1,
 2,
]
if (a and
    b):
    c(1,
      2)
d = {
 'a': 1,
 **e,
}
f = '''

'''
assert (
   1
)
g = 1 + \\
  2
if a: b = (1,
  2); c = 3
else: \\
  d
"""),
    "nested functions": Case(b"""\
def a():
    def b():
        def c():
            if x: return 1
        return c
    class D:
        def e(self):
            class F:
                def g(self): pass
            return F
    return b
"""),
    "two of a name": Case(b"""\
if x:
    def f(): return 1
else:
    def f(): return 2
"""),
    "while true": Case(b"""\
while True:
    if x: break
while 1:
    y
    continue
while x:
    z
else:
    w
"""),
    "constant conditions": Case(b"""\
if 0:
    a
if __debug__:
    b
if not True:
    c
while False:
    d
if 1 and x:
    e
"""),
    "with": Case(b"""\
with a as b:
    c
d
def f():
    with a:
        if b:
            return 1
        for c in d:
            with e, \\
                 g:
                if h: break
                continue
    return 2
"""),
    "with in with": Case(b"""\
def f():
    with a:
        with b:
            if c:
                d
with (a as b,
      c as d):
    e
"""),
    "with on one line": Case(b"""\
for x in y:
    with a: b
    with c: continue
with a: pass
"""),
    "try": Case(b"""\
def f():
    try:
        a
        if b: return 1
    except A:
        c
    except (B, C) as e:
        raise D from e
    else:
        f
    finally:
        if g:
            h
    return 2
for x in y:
    try:
        break
    finally:
        z
"""),
    "try star": Case(b"""\
try:
    a
except* A:
    b
"""),
    "generators": Case(b"""\
def f():
    x = yield 1
    if x: yield from g()
    return [a for a in b
            if c]
"""),
    "async": Case(b"""\
async def f():
    async with a as b:
        async for c in d:
            await e
        else:
            g
    return [x async for x in y]
"""),
    "lambda": Case(b"""\
f = lambda a: (a if a
  else b)
g = [lambda: 1, lambda x=lambda: 2: x]
if x: h = lambda: {1: 2}
"""),
    "comprehensions": Case(b"""\
a = {x: y
 for x in b
 if c}
d = (e for e in
 f)
"""),
    "walrus, slices, annotations": Case(b"""\
if (a := b[1:2]): c: int = 3
x: 'y' = {1: 2}
def f(a: int = 1) -> 'b': ...
"""),
    "f-strings": Case(b"""\
x = f'{a:>{b}} {c!r:^10} {d["e"]}'
if x: y = f'''{
a}'''
"""),
    "no cover": Case(b"""\
if a:  # pragma: no cover
    b
elif c:
    d
else:  # pragma: no cover
    e

def f():  # pragma: no cover
    g
    if h:
        i
j
for k in l: m  # pragma: no cover
"""),
    "no cover on a later line": Case(b"""\
x = [
  1,  # pragma: no cover
  2,
]
def f(a,  # pragma: no cover
      b):
    c
"""),
    "no branch": Case(b"""\
if a:  # pragma: no branch
    b
while True:
    if c: break
for d in e:  # pragma: no branch
    f
"""),
    "dots and type checking": Case(b"""\
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import a
class C:
    def f(self): ...
    def g(self):
        ...
"""),
    "exclude_also": Case(
        b"""\
def __repr__(self):
    a
if b:
    raise C
""",
        exclude=("def __repr__", "raise \\w+"),
    ),
    "exclusion over lines": Case(
        b"""\
a
# start
b
if c:
    d
# stop
e
try:
    f
except A:
    pass
""",
        exclude=("# start(.|\\n)*?# stop", "except A:\\n\\s+pass"),
    ),
    "the whole file excluded": Case(
        b"""\
# nothing
if a:
    b
def f():
    c
""",
        exclude=("\\A(?s:.*# nothing.*)\\Z",),
    ),
    "nothing excluded": Case(b"if a:  # pragma: no cover\n    b\n", exclude=()),
    "partial_also": Case(
        b"""\
if a:  # maybe
    b
for c in d: e
""",
        partial=("# maybe",),
    ),
    "no partial rules": Case(b"if a:\n    b\n", partial=()),
    "a rule that matches nothing at all": Case(b"if a:\n    b\n", exclude=("",)),
    "a line of a megabyte": Case(b"x = [" + b"12345678, " * 100_000 + b"]\nif x: y\n"),
    "a string of a megabyte": Case(b"x = '''" + b"abc defg\n" * 110_000 + b"'''\nif x: y\n"),
    "null byte": Case(b"x = 1\x00\nif x: y\n"),
    "syntax error": Case(b"""\
x = 1

if x
    y
"""),
    "bad indentation": Case(b"""\
if x:
    y
  z
"""),
    "open bracket": Case(b"""\
x = 1
y = (1,

"""),
    "open string": Case(b"x = 1\ny = '''a\n"),
    "backslash at the end": Case(b"x = 1\\"),
    "python 2": Case(b"print 'x'\n"),
    "return outside": Case(b"x = 1\nreturn x\n"),
    "nested too deeply": Case(b"x = " + b"(" * 500 + b")" * 500 + b"\n"),
    "too many operators": Case(b"x = " + b"-" * 100_000 + b"1\n"),
    "long elif chain": Case(b"if a: b\n" + b"elif a: b\n" * 250),
    "too long an elif chain": Case(b"if a: b\n" + b"elif a: b\n" * 2990),
    "deep blocks": Case(b"".join(b" " * n + b"if a:\n" for n in range(90)) + b" " * 90 + b"b\n"),
    "non-ascii names": Case(
        "é = 1\nif é:\n    ñ = 'ü'\nclass Ä:\n    def ö(self): return 1\n".encode()
    ),
}
