"""The API held against its own contract by schemathesis, over a socket."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PROGRAM = Path(sys.executable).with_name("schemathesis")

SETTINGS = """
request-timeout = 30.0
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "401", "403", "404", "409", "412", "422", "429"]
[checks.negative_data_rejection]
expected-statuses = ["4xx"]
"""
"""412: the conditions of a good request may fail. 422: see `contract_checks`."""

ENDLESS = "follow_events"
"""A stream has no end to wait for; it has tests of its own."""


def hold_to_contract(
    base_url: str, token: str, directory: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    """Run schemathesis with all checks; its exit status is 0 if nothing was found."""
    settings = directory / "schemathesis.toml"
    settings.write_text(SETTINGS)
    command = [PROGRAM, "--config-file", settings, "run", f"{base_url}/openapi.json",
               "--header", f"Authorization: Bearer {token}", "--exclude-operation-id", ENDLESS,
               "--warnings", "off", *arguments]  # fmt: skip
    environ = os.environ | {"SCHEMATHESIS_HOOKS": "support.contract_checks", "COLUMNS": "200",
                            "PYTHONPATH": str(HERE.parent)}  # fmt: skip
    return subprocess.run(
        command, cwd=directory, env=environ, capture_output=True, text=True, check=False
    )
