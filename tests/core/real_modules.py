"""Modules of the standard library, click and attrs as they are run, each by some calls of what it
is for.

A copy of the module's text, or of what an edit made of it, is executed under a name of its own and
called here, so that the same is asked of both. What is called is the same on every Python.
"""

import contextlib
import importlib.util
import io
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import attr
from coverage import Coverage
from coverage.config import DEFAULT_EXCLUDE, DEFAULT_PARTIAL, DEFAULT_PARTIAL_ALWAYS

from covls.core.analysis import analysis_from_json
from covls.core.coverage import FileCoverage, Measured, cover
from covls.probe.analyse import Rules, analyse_python

Driver = Callable[[Any], None]

RULES = Rules([*DEFAULT_EXCLUDE], [*DEFAULT_PARTIAL, *DEFAULT_PARTIAL_ALWAYS])


def _bisect(m: Any) -> None:
    items = [1, 2, 2, 3]
    m.bisect_left(items, 2), m.bisect_right(items, 2, 0, 3)
    m.insort_left(items, 2, key=lambda item: -item)


def _calendar(m: Any) -> None:
    m.TextCalendar(6).formatyear(2024, m=4)
    m.HTMLCalendar().formatmonth(2023, 2)
    m.monthrange(1900, 2), m.leapdays(1900, 2000), m.isleap(2000)


def _cmd(m: Any) -> None:
    class Shell(m.Cmd):  # type: ignore[misc]
        def do_add(self, line: str) -> bool:
            """Add."""
            return bool(line)

    shell = Shell(stdin=io.StringIO("add\nhelp\nadd 1\n"), stdout=io.StringIO())
    shell.use_rawinput = False
    shell.cmdloop("hello")
    shell.onecmd("? add"), shell.onecmd("nothing"), shell.columnize(["a", "b", "c"], 4)


def _colorsys(m: Any) -> None:
    for color in ((0.2, 0.4, 0.4), (0.5, 0.5, 0.5), (0.9, 0.1, 0.2)):
        m.hsv_to_rgb(*m.rgb_to_hsv(*color)), m.rgb_to_hls(*color)
    m.yiq_to_rgb(0.5, 0.1, 0.1)


def _configparser(m: Any) -> None:
    parser = m.ConfigParser()
    parser.read_string("[a]\nx = 1\ny: %(x)s\n[b]\nlong = 1\n  2\n")
    parser.getint("a", "x"), parser.get("a", "y"), parser["b"].get("z", "none")
    parser.write(io.StringIO())
    with contextlib.suppress(m.Error):
        parser.get("c", "x")
    with contextlib.suppress(m.Error):
        parser.read_string("no section")


def _csv(m: Any) -> None:
    rows = m.DictReader(io.StringIO("a,b\n1,2\n\n3\n"), restval="0")
    written = m.DictWriter(io.StringIO(), ["a", "b"])
    written.writeheader()
    written.writerows(rows)
    m.Sniffer().sniff("a;b;c\n1;2;3\n4;5;6\n"), m.Sniffer().has_header("a,b\n1,2\n3,4\n")


def _difflib(m: Any) -> None:
    one, two = ["a\n", "b\n", "c d\n", "e\n"], ["a\n", "c f\n", "e\n", "g\n"]
    list(m.unified_diff(one, two)), list(m.ndiff(one, two)), list(m.context_diff(one, two, n=1))
    m.get_close_matches("appel", ["ape", "apple", "peach"])
    m.SequenceMatcher(None, "abcd", "bcde").quick_ratio()


def _fnmatch(m: Any) -> None:
    m.filter(["a.py", "b.txt"], "*.py"), m.fnmatchcase("ab", "[!a]?"), m.translate("[a-c]*[")


def _fractions(m: Any) -> None:
    half, third = m.Fraction(1, 2), m.Fraction("1/3")
    half + third, half - 1, half * third, half / 2, half**2, half**-1, 2 // third, half % third
    half < third, half == 0.5, round(third, 2), int(third), hash(half), str(half), -half
    m.Fraction(0.25).limit_denominator(3)
    for wrong in ("x", "1/0"):
        with contextlib.suppress(ValueError, ZeroDivisionError):
            m.Fraction(wrong)


def _getopt(m: Any) -> None:
    m.getopt(["-a", "-b1", "--long=2", "--flag", "rest"], "ab:", ["long=", "flag"])
    m.gnu_getopt(["x", "-a", "y", "--", "-b"], "a")
    for wrong in (["-x"], ["--nothing"], ["-b"]):
        with contextlib.suppress(m.GetoptError):
            m.getopt(wrong, "b:", ["one", "other"])


def _graphlib(m: Any) -> None:
    tuple(m.TopologicalSorter({"d": {"b", "c"}, "b": {"a"}}).static_order())
    with contextlib.suppress(m.CycleError):
        m.TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()


def _heapq(m: Any) -> None:
    m.nlargest(2, [3, 1, 2], key=lambda x: -x), m.nsmallest(1, [3, 1]), m.nsmallest(5, [1, 2])
    list(m.merge([1, 4], [2, 3], reverse=False)), list(m.merge([4, 1], [3], reverse=True))


def _html_parser(m: Any) -> None:
    parser = m.HTMLParser()
    parser.feed("<!doctype html><p a='1' b>x &amp; y &#65;<br/><!-- c --></p><script>1<2</script>")
    parser.close()


def _ipaddress(m: Any) -> None:
    m.ip_address("10.0.0.1").is_private, m.ip_network("10.0.0.0/30").num_addresses
    str(m.ip_address("::1")), list(m.ip_network("192.0.2.0/30").hosts())
    for wrong in ("10.0.0", "1::2::3", "10.0.0.300"):
        with contextlib.suppress(ValueError):
            m.ip_address(wrong)


def _json_decoder(m: Any) -> None:
    m.JSONDecoder().decode(' {"a": [1, 2.5, null, true], "b": "x\\u0041\\n"} ')
    m.py_scanstring('a\\n\\u00e9"', 0)
    for wrong in ("{", "[1,]", '"a'):
        with contextlib.suppress(ValueError):
            m.JSONDecoder(strict=False).decode(wrong)


def _json_encoder(m: Any) -> None:
    value = {"a": [1, 2.5, None, True], "b": {"c": ()}, 1: "é\n"}
    m.JSONEncoder(indent=2, sort_keys=False).encode(value), m.JSONEncoder().encode([])
    m.py_encode_basestring_ascii("é\U0001f600\\")
    with contextlib.suppress(TypeError):
        m.JSONEncoder(check_circular=False).encode(object())


def _netrc(m: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "netrc")
        file.write_text("machine a login b password c\ndefault login x password y\nmacdef m\nz\n\n")
        repr(m.netrc(file)), m.netrc(file).authenticators("b")
        file.write_text("machines\n")
        with contextlib.suppress(m.NetrcParseError):
            m.netrc(file)


def _optparse(m: Any) -> None:
    parser = m.OptionParser(usage="%prog [options]", version="1")
    parser.add_option("-a", "--all", action="store_true", help="all of it, " * 12)
    group = m.OptionGroup(parser, "more", "of them")
    group.add_option("-n", type="int", default=3, help="a number (%default)")
    parser.add_option_group(group)
    parser.parse_args(["-a", "-n4", "x", "--", "-y"])
    parser.format_help()


def _plistlib(m: Any) -> None:
    value = {"a": [1, 2.5, True, b"x" * 80], "b": "é"}
    for kind in (m.FMT_XML, m.FMT_BINARY):
        m.loads(m.dumps(value, fmt=kind))
    with contextlib.suppress(m.InvalidFileException):
        m.loads(b"nothing")


def _pprint(m: Any) -> None:
    m.pformat({"a": list(range(40)), "b": ("x" * 100,), "c": {1, 2}}, width=30)
    m.pformat([[[1]]], depth=1), m.isreadable(object()), m.pformat(b"ab" * 30, width=20)


def _quopri(m: Any) -> None:
    written = io.BytesIO()
    m.a2b_qp = m.b2a_qp = None
    m.encode(io.BytesIO(b"a = \xe9\t\n" + b"x" * 90), written, quotetabs=False)
    m.decode(io.BytesIO(written.getvalue()), io.BytesIO())


def _shlex(m: Any) -> None:
    m.split('a \'b c\' "d \\" e" # f', comments=True), m.quote("a b"), m.join(["a", "b'c"])
    list(m.shlex("a&&b || c;d>'e'", punctuation_chars=True))
    with contextlib.suppress(ValueError):
        m.split("a 'b")


def _statistics(m: Any) -> None:
    data = [1, 2.5, 2.5, 4]
    m.mean(data), m.median(data), m.mode(data), m.stdev(data), m.quantiles(data, n=3)
    m.NormalDist(0, 1).cdf(1.5), m.harmonic_mean([1, 2]), m.multimode("aab")
    with contextlib.suppress(m.StatisticsError):
        m.mean([])


def _string(m: Any) -> None:
    m.Template("$a ${b} $$").substitute(a=1, b=2), m.capwords("a b", None)
    m.Formatter().format("{0} {a!r:>10} {}".replace("{}", "{1}"), 1, 2, a="x")
    with contextlib.suppress(ValueError):
        m.Template("$ 1").substitute()


def _textwrap(m: Any) -> None:
    m.wrap("one two-three four " * 5, 20, subsequent_indent="  "), m.fill("x" * 50, 20)
    m.shorten("one two three", 8), m.dedent("  a\n    b\n\n"), m.indent("a\n\nb", "> ")
    with contextlib.suppress(ValueError):
        m.wrap("a", 0)


def _click_formatting(m: Any) -> None:
    formatter = m.HelpFormatter(width=30)
    formatter.write_usage("tool", "[OPTIONS] COMMAND [ARGS]...")
    with formatter.section("Options"), formatter.indentation():
        formatter.write_dl([("-a, --all", "all of " * 9), ("--a-rather-long-one", "it")])
    formatter.write_paragraph()
    formatter.write_text("one two " * 12)
    m.wrap_text("a b c\n\n\b\n  as it is\n\nlast", 8, preserve_paragraphs=True)
    m.join_options(["--all", "-a", "/s"]), formatter.getvalue()


def _click_types(m: Any) -> None:
    m.convert_type(None, 1), m.convert_type(str), m.convert_type((int, str)).name
    m.Choice(["a", "B"], case_sensitive=False).convert("b", None, None)
    m.IntRange(1, 5, clamp=True).convert("9", None, None), m.BOOL.convert("yes", None, None)
    m.FloatRange(0, max_open=True, max=2).convert("1.5", None, None), m.UUID
    m.DateTime().convert("2024-02-29", None, None), m.Path().convert(".", None, None)
    m.STRING.convert(b"x", None, None), m.INT.convert("3", None, None)
    for kind, value in ((m.IntRange(1, 5), "7"), (m.BOOL, "maybe"), (m.DateTime(), "never")):
        with contextlib.suppress(m.BadParameter):
            kind.convert(value, None, None)


def _click_utils(m: Any) -> None:
    m.make_default_short_help("One sentence. And another.\n\nMore."), m.make_str(b"a")
    (
        m.make_default_short_help("word " * 30, max_length=20),
        m.get_app_dir("A Tool", force_posix=True),
    )
    m.echo("x", file=io.StringIO()), m.echo(b"x", file=io.BytesIO()), m.format_filename("a/b", True)
    with m.LazyFile(__file__) as lazy:
        next(iter(lazy)), repr(lazy)
    with m.KeepOpenFile(io.StringIO("a")) as kept:
        list(kept), repr(kept)


def _attr_converters(m: Any) -> None:
    m.optional(int)(None), m.optional(int)("1"), m.default_if_none(factory=list)(None)
    m.default_if_none(1)(None), m.to_bool("yes"), m.to_bool(0)
    with contextlib.suppress(ValueError):
        m.to_bool("maybe")


def _attr_make(m: Any) -> None:
    made = {"x": m.attrib(default=1), "y": m.attrib(factory=list, repr=False, eq=False)}
    plain = m.attrs(type("Plain", (), dict(made)))
    other = m.attrs(frozen=True, slots=True, order=True)(
        type("Other", (), {"z": m.attrib(converter=int, validator=lambda *_: None)})
    )
    repr(plain(2)), plain() == plain(), other("3") < other(4), hash(other(1)), m.fields(plain).x
    with contextlib.suppress(Exception):
        other(1).z = 2
    m.make_class("Made", ["a", "b"])(1, 2), m.fields_dict(other), m.validate(other(1))
    child = m.attrs(type("Child", (plain,), {"w": m.attrib(kw_only=True)}))
    repr(child(w=0))


def _attr_validators(m: Any) -> None:
    for check, good, bad in (
        (m.instance_of(int), 1, "a"), (m.in_([1, 2]), 1, 3), (m.matches_re("a+"), "aa", "b"),
        (m.optional(m.ge(2)), None, 1), (m.and_(m.lt(5), m.gt(0)), 1, 9), (m.max_len(1), "a", "ab"),
        (m.deep_iterable(m.instance_of(int)), [1], ["a"]), (m.min_len(1), "a", ""),
        (m.deep_mapping(m.instance_of(str), m.le(1)), {"a": 1}, {"a": 2}),
        (m.not_(m.is_callable()), 1, print), (m.or_(m.lt(0), m.gt(9)), 10, 5),
    ):  # fmt: skip
        repr(check)
        field = attr.fields(_Checked).value
        check(None, field, good)
        with contextlib.suppress(Exception):
            check(None, field, bad)
    with m.disabled():
        m.get_disabled()


@attr.s
class _Checked:
    value: int = attr.ib(default=0)


_DRIVERS: dict[str, Driver] = {
    "bisect": _bisect, "calendar": _calendar, "cmd": _cmd, "colorsys": _colorsys,
    "configparser": _configparser, "csv": _csv, "difflib": _difflib, "fnmatch": _fnmatch,
    "fractions": _fractions, "getopt": _getopt, "graphlib": _graphlib, "heapq": _heapq,
    "html/parser": _html_parser, "ipaddress": _ipaddress, "json/decoder": _json_decoder,
    "json/encoder": _json_encoder, "netrc": _netrc, "optparse": _optparse,
    "plistlib": _plistlib, "pprint": _pprint, "quopri": _quopri, "shlex": _shlex,
    "statistics": _statistics, "string": _string, "textwrap": _textwrap,
    "click/formatting": _click_formatting, "click/types": _click_types,
    "click/utils": _click_utils, "attr/converters": _attr_converters, "attr/_make": _attr_make,
    "attr/validators": _attr_validators,
}  # fmt: skip

_INSTALLED = ("click", "attr")


def _place_of(module: str) -> Path:
    package = module.partition("/")[0]
    if package not in _INSTALLED:
        return Path(sysconfig.get_path("stdlib"), f"{module}.py")
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / f"{module.partition('/')[2]}.py"


def _name_of(module: str) -> str:
    """The name to execute a copy under: in its package, from where it imports what is beside."""
    package, _, rest = module.partition("/")
    return (
        f"{package}.covls_runs_{rest}"
        if package in _INSTALLED
        else ("covls_runs_" + module.replace("/", "_"))
    )


DRIVERS = {module: driver for module, driver in _DRIVERS.items() if _place_of(module).exists()}
"""What is called of each module; one that a later Python has made a package is left out."""


@cache
def text_of(module: str) -> str:
    """A module's text as this Python has it."""
    return _place_of(module).read_text(encoding="utf-8")


def measure(module: str, text: str, *, branches: bool = True) -> FileCoverage | None:
    """What runs of a text of a module under its calls, by coverage.py; None where it fails."""
    driver = DRIVERS[module]
    name = _name_of(module)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, f"{name}.py"))
        Path(path).write_text(text, encoding="utf-8")
        coverage = Coverage(data_file=None, branch=branches, config_file=False, include=[path])
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[name] = loaded
        coverage.start()
        try:
            spec.loader.exec_module(loaded)
            driver(loaded)
        except Exception:  # noqa: BLE001 - whatever an edit did to it
            return None
        finally:
            coverage.stop()
            del sys.modules[name]
        data = coverage.get_data()
        lines = frozenset(data.lines(path) or ())
        arcs = frozenset(data.arcs(path) or ()) if branches else None
        data.close(force=True)
    analysis = analysis_from_json(analyse_python(text.encode(), f"{name}.py", RULES))
    return cover(analysis, Measured(lines, arcs))
