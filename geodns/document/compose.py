"""One document from several files, with what their environment gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from geodns.dns.names import excerpt
from geodns.errors import ConfigError, Reason
from geodns.model.base import join_pointer

ENV = "env"
"""The section that lists which variables a file may use. It is no part of the document."""

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def expanded(data: Any, environ: Mapping[str, str]) -> Any:
    """The data with ``${NAME}`` in its values replaced, for each NAME that its ``env`` lists.

    Shape:  any other ``${…}`` is text like all text; without ``env`` nothing is replaced.
    Errors: ConfigError for every name that is not set.
    """
    if not isinstance(data, dict) or ENV not in data:
        return data
    names = data[ENV]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        detail = "env lists the variables that this file may use, like env: [REGION]."
        raise ConfigError([Reason(f"/{ENV}", "wrong_type", detail)])
    unset = [name for name in names if name not in environ]
    if unset:
        raise ConfigError(
            Reason(f"/{ENV}", "not_set", f"The variable {excerpt(name)} is not set.", name)
            for name in unset
        )
    values = {name: environ[name] for name in names}
    return {key: _filled(part, values) for key, part in data.items() if key != ENV}


def _filled(data: Any, values: Mapping[str, str]) -> Any:
    # The reader has bounded how deep this goes.
    if isinstance(data, str):
        return _VARIABLE.sub(lambda match: values.get(match[1], match[0]), data)
    if isinstance(data, list):
        return [_filled(part, values) for part in data]
    if isinstance(data, dict):
        return {key: _filled(part, values) for key, part in data.items()}
    return data


def merged(files: Mapping[str, Any]) -> Any:
    """The files' data as one document; a single file's is returned as it is.

    Errors: ConfigError for whatever two files both say, if they do not say the same.
    """
    if len(files) == 1:
        return next(iter(files.values()))
    whole: dict[str, Any] = {}
    faults: list[Reason] = []
    owners: dict[str, str] = {}
    for file, data in files.items():
        if not isinstance(data, dict):
            faults.append(Reason("", "wrong_type", f"{file} must be a mapping."))
            continue
        _add(whole, data, "", file, owners, faults)
    if faults:
        raise ConfigError(faults)
    return whole


def _add(
    whole: dict[str, Any],
    data: Mapping[str, Any],
    at: str,
    file: str,
    owners: dict[str, str],
    faults: list[Reason],
) -> None:
    for key, part in data.items():
        here = join_pointer(at, (key,))
        known = whole.get(key)
        if key not in whole:
            whole[key] = _copied(part, here)
            owners[here] = file
        elif _is_section(here) and isinstance(known, dict) and isinstance(part, dict):
            _add(known, part, here, file, owners, faults)
        elif known != part:
            first = owners.get(here) or next(iter(owners.values()))
            detail = f"{file} says otherwise than {first}."
            faults.append(Reason(here, "duplicate", detail))


def _copied(part: Any, at: str) -> Any:
    """Sections are filled from other files later; the files' own data stay as they are."""
    if isinstance(part, dict) and _is_section(at):
        return {key: _copied(each, join_pointer(at, (key,))) for key, each in part.items()}
    return part


_SECTION = re.compile(
    r"/(zones(/[^/]+(/(steers|rrsets(/[^/]+)?))?)?|nodes|pools|monitors|networks|latency)"
)


def _is_section(at: str) -> bool:
    """Whether what stands here is keyed by id, so that several files may each add to it."""
    return _SECTION.fullmatch(at) is not None
