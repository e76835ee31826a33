"""``$GENERATE``: one line of a master file that stands for many, as BIND 9 reads it."""

from __future__ import annotations

import re
from typing import Final

from geodns.dns.names import excerpt
from geodns.errors import ConfigError, Reason

GENERATED_MAX = 65_536
"""How many records the ``$GENERATE`` lines of one file make together.

Source: no reference; the reverse zone of an IPv4 /16, which is what the directive is used for.
"""

GENERATED_MAX_CHARACTERS = 128 * GENERATED_MAX
"""How long these are together. Source: no reference; twice what a reverse zone needs."""

WIDTH_MAX = 127
"""Source: BIND 9 and dnspython; BIND writes each number into 128 octets."""

_NUMBER_MAX = 2**31 - 1  # Source: BIND 9 counts in 32 bits.
_RANGE: Final = re.compile(r"([0-9]{1,10})-([0-9]{1,10})(?:/([0-9]{1,10}))?")
_ESCAPE: Final = re.compile(r"\\.|\$\$|\$(?:\{(?P<modifier>[^}]*)\}?)?")
_MODIFIER: Final = re.compile(r"([+-]?[0-9]{1,10})(?:,([0-9]{1,3})(?:,([doxXnN]))?)?")


def counters(text: str) -> range:
    """The numbers that ``start-stop[/step]`` counts.

    Errors: ConfigError "bad_generate".
    """
    match = _RANGE.fullmatch(text)
    if match is None:
        raise _bad(text, "a range is start-stop or start-stop/step.")
    start, stop, step = (int(number or 1) for number in match.groups())
    if not (start <= stop <= _NUMBER_MAX and 0 < step <= _NUMBER_MAX):
        raise _bad(text, f"start is at most stop, and numbers are at most {_NUMBER_MAX}.")
    return range(start, stop + 1, step)


def substitute(template: str, counter: int) -> str:
    """The template with every ``$`` and ``${offset[,width[,base]]}`` replaced.

    Shape:  ``$$`` is a dollar sign, and what follows a backslash is left alone.
    Errors: ConfigError "bad_generate".
    """

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return r"\$"  # A plain one, where an owner starts with it, would be a directive.
        if match[0][0] == "\\":
            return match[0]
        return str(counter) if match["modifier"] is None else _number(match, counter)

    return _ESCAPE.sub(replace, template)


def _number(match: re.Match[str], counter: int) -> str:
    modifier = _MODIFIER.fullmatch(match["modifier"])
    if modifier is None or not match[0].endswith("}"):
        raise _bad(match[0], "a modifier is ${offset}, ${offset,width} or ${offset,width,base}, "
                             "the base one of d o x X n N.")  # fmt: skip
    value, width, base = counter + int(modifier[1]), int(modifier[2] or 0), modifier[3] or "d"
    if width > WIDTH_MAX:
        raise _bad(match[0], f"the width is at most {WIDTH_MAX}.")
    if base in "nN":
        if value < 0:
            raise _bad(match[0], f"nibbles cannot write the negative number {value}.")
        return _nibbles(value, width, base)
    return format(value, base).zfill(width)


def _nibbles(value: int, width: int, base: str) -> str:
    """Hexadecimal digits parted by dots, the lowest first; ``width`` counts the dots too."""
    digits = format(value, "x" if base == "n" else "X").zfill((width + 1) // 2)
    text = ".".join(reversed(digits))
    # BIND ends in a dot where the width is even, so that a name can go on behind it.
    return text + "." if len(text) < width else text


def _bad(text: str, detail: str) -> ConfigError:
    shown = excerpt(text)
    return ConfigError([Reason("", "bad_generate", f'"{shown}": {detail}', shown)])
