"""``serve`` and ``demo``: from words to settings, then over to the daemon."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from geodns.cli import ASKED
from geodns.settings import TABLE, Setting, load

CONFIG = "config"


def serve(flags: Mapping[str, object]) -> int:
    """Serve until told to end. ``flags`` are settings by name, and ``config``."""
    config = flags.get(CONFIG)
    settings = load(
        {name: value for name, value in flags.items() if name != CONFIG},
        os.environ,
        Path(str(config)) if config else None,
    )
    from geodns.daemon.serve import run

    return run(settings)


def flags_of(words: Sequence[str]) -> dict[str, object] | None:
    """The flags as given; None for anything unusual, which the full command line explains."""
    if ASKED in os.environ:
        return None
    known = {setting.flag: setting for setting in TABLE}
    flags: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        flag, separate, value = word.partition("=")
        text = value if separate else next(rest, None)
        if text is None or (not separate and text.startswith("--")):
            return None
        setting = known.get(flag)
        if setting and setting.many:
            flags.setdefault(setting.name, []).append(text)
        elif setting or flag == f"--{CONFIG}":
            flags[setting.name if setting else CONFIG] = text
        else:
            return None
    return flags


def serve_command() -> Callable[..., int]:
    """The command with one option for each row of the settings."""
    import typer

    def command(**flags: object) -> int:
        """Serve DNS and the admin API until told to end."""
        return serve({name: value for name, value in flags.items() if value not in (None, [], ())})

    config = typer.Option(None, "--config", metavar="FILE", help="A YAML file with settings.")
    parameters = [_parameter(CONFIG, str | None, config)]
    parameters += [_parameter(row.name, _annotation(row), _option(row)) for row in TABLE]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def _parameter(name: str, annotation: object, default: object) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, default=default, annotation=annotation)


def _annotation(setting: Setting) -> object:
    return list[str] | None if setting.many else str | None


def _option(setting: Setting) -> object:
    import typer

    default = setting.default_shown.replace("`", "")
    return typer.Option(
        None,
        setting.flag,
        metavar=setting.metavar,
        help=f"{setting.help} [{setting.variable}]{f' Default: {default}.' if default else ''}",
        show_default=False,
    )
