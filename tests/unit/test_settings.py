"""The table of settings: where a value comes from, what it may be, and how faults are told."""

from __future__ import annotations

from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from geodns.errors import ConfigError, Reason
from geodns.settings import FILE_MAX_OCTETS, TABLE, Settings, default_data_dir, load, markdown
from geodns.settings.values import Endpoint, endpoint, location


def settings_file(directory: Path, text: str) -> Path:
    path = directory / "settings.yaml"
    path.write_text(text)
    return path


def reasons_of(
    flags: dict[str, object] | None = None,
    environ: dict[str, str] | None = None,
    config: Path | None = None,
) -> tuple[Reason, ...]:
    with pytest.raises(ConfigError) as refused:
        load(flags or {}, environ or {}, config)
    return refused.value.reasons


def test_the_table_and_the_settings_have_the_same_names_in_the_same_order() -> None:
    assert [row.name for row in TABLE] == [field.name for field in fields(Settings)]


def test_the_defaults_are_those_of_the_contract() -> None:
    found = load({}, {}, None)
    assert found.dns == (Endpoint("::", 53),)
    assert found.api == Endpoint("127.0.0.1", 8053)
    assert (found.engine, found.workers, found.log_level) == ("auto", 1, "info")
    assert (found.geo_db, found.runtime_dir, found.default_location) == (None, None, None)
    assert found.trusted_resolvers == (ip_network("0.0.0.0/0"), ip_network("::/0"))
    assert found.debug_sources == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert (found.status_slots, found.view_budget_mb) == (32768, 64)


def test_a_flag_is_before_the_environment_before_the_file_before_the_default(
    tmp_path: Path,
) -> None:
    config = settings_file(tmp_path, "workers: 2\nengine: native\nlog_level: debug\n")
    environ = {"GEODNS_SERVER_WORKERS": "3", "GEODNS_SERVER_ENGINE": "python"}
    found = load({"workers": 4, "engine": None, "dns": ()}, environ, config)
    assert (found.workers, found.engine, found.log_level) == (4, "python", "debug")
    assert found.dns == (Endpoint("::", 53),)


def test_a_wrong_value_that_another_source_overrides_does_no_harm(tmp_path: Path) -> None:
    config = settings_file(tmp_path, "workers: 300\n")
    assert load({"workers": "4"}, {}, config).workers == 4


def test_other_variables_of_the_environment_are_not_ours() -> None:
    assert load({}, {"GEODNS_API": "http://x", "WORKERS": "9"}, None).workers == 1


@pytest.mark.parametrize(
    "texts", [("127.0.0.1:1", "[::1]:2"), ("127.0.0.1:1,[::1]:2",), ("127.0.0.1:1 [::1]:2",)]
)
def test_several_values_are_a_list_or_a_text_with_commas_or_spaces(texts: tuple[str]) -> None:
    both = (Endpoint("127.0.0.1", 1), Endpoint("::1", 2))
    assert load({"dns": texts}, {}, None).dns == both
    assert load({}, {"GEODNS_SERVER_DNS": " ".join(texts)}, None).dns == both


def test_the_file_takes_lists_numbers_and_words_as_they_are_written(tmp_path: Path) -> None:
    text = 'dns: ["[::]:53", 192.0.2.1:53]\nnsid: no\ndefault_location: [50.1, 8.7]\ngeo_db: ~\n'
    found = load({}, {}, settings_file(tmp_path, text))
    assert found.dns == (Endpoint("::", 53), Endpoint("192.0.2.1", 53))
    assert (found.nsid, found.default_location, found.geo_db) == ("no", (50.1, 8.7), None)


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    assert load({}, {}, settings_file(tmp_path, "# nothing\n")) == load({}, {}, None)


def test_values_of_other_python_types_are_taken_as_flags() -> None:
    flags: dict[str, object] = {
        "data_dir": Path("/srv/geodns"),
        "api": Endpoint("::1", 0),
        "default_location": (-33.9, 151.2),
        "debug_sources": [ip_network("10.0.0.0/8")],
    }
    found = load(flags, {}, None)
    assert (found.data_dir, found.api) == (Path("/srv/geodns"), Endpoint("::1", 0))
    assert found.default_location == (-33.9, 151.2)
    assert found.debug_sources == (ip_network("10.0.0.0/8"),)


def test_what_is_optional_can_be_emptied() -> None:
    names = ("NSID", "TRUSTED_RESOLVERS", "DEBUG_SOURCES", "GEO_DB")
    found = load({}, {f"GEODNS_SERVER_{name}": "" for name in names}, None)
    assert (found.nsid, found.trusted_resolvers, found.debug_sources) == ("", (), ())
    assert found.geo_db is None


@pytest.mark.parametrize(
    "row", [row for row in TABLE if not row.optional], ids=lambda row: row.name
)
def test_what_is_not_optional_must_not_be_empty(row: object) -> None:
    name = row.name  # type: ignore[attr-defined]
    [reason] = reasons_of({name: " "})
    assert (reason.pointer, "must not be empty" in reason.detail) == (f"/{name}", True)


@pytest.mark.parametrize(
    ("name", "text", "bound"),
    [
        ("workers", "0", "within 1 and 64"),
        ("workers", "65", "within 1 and 64"),
        ("workers", "two", "whole number"),
        ("workers", "1.0", "whole number"),
        ("workers", "٣", "whole number"),
        ("status_slots", "63", "within 64 and 1048576"),
        ("status_slots", "1048577", "within 64 and 1048576"),
        ("view_budget_mb", "0", "within 1 and 65536"),
        ("engine", "rust", "auto, native, python"),
        ("log_level", "trace", "debug, info, warning, error"),
        ("dns", "localhost:53", "ADDRESS:PORT"),
        ("dns", "127.0.0.1", "ADDRESS:PORT"),
        ("dns", "::1:53", "ADDRESS:PORT"),
        ("dns", "[127.0.0.1]:53", "ADDRESS:PORT"),
        ("dns", "127.0.0.1:65536", "65535"),
        ("dns", "999.0.0.1:53", "ADDRESS:PORT"),
        ("api", "127.0.0.1:1,127.0.0.1:2", "ADDRESS:PORT"),
        ("default_location", "91,0", "-90 and 90"),
        ("default_location", "0,181", "-180 and 180"),
        ("default_location", "nan,0", "LAT,LON"),
        ("default_location", "50.1", "LAT,LON"),
        ("debug_sources", "10.0.0.1/8", "did you mean 10.0.0.0/8?"),
        ("trusted_resolvers", "everyone", "subnets like"),
        ("nsid", "x" * 256, "255 octets"),
        ("nsid", "a\nb", "printable"),
        ("data_dir", "a\0b", "path"),
    ],
)
def test_a_value_beyond_its_bound_is_refused_with_the_bound(
    name: str, text: str, bound: str
) -> None:
    [reason] = reasons_of({name: text})
    assert reason.pointer == f"/{name}"
    assert bound in reason.detail
    assert f"--{name.replace('_', '-')}" in reason.detail


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("workers", "64"),
        ("status_slots", "1048576"),
        ("default_location", "-90,180"),
        ("dns", "[::]:65535"),
        ("dns", "0.0.0.0:0"),
        ("nsid", "x" * 255),
        ("log_level", "DEBUG"),
    ],
)
def test_a_value_at_its_bound_is_taken(name: str, text: str) -> None:
    load({name: text}, {}, None)


def test_all_faults_are_told_at_once_with_value_and_source(tmp_path: Path) -> None:
    config = settings_file(tmp_path, "view_budget_mb: 0\nwerkers: 2\n")
    environ = {"GEODNS_SERVER_WORKERS": "300", "GEODNS_SERVER_ENGIN": "python"}
    told = [str(reason) for reason in reasons_of({"dns": "x"}, environ, config)]
    assert sorted(told) == [
        '/dns: "x" (from --dns) must be ADDRESS:PORT like 127.0.0.1:5300 or [::]:53, '
        "the port within 0 and 65535.",
        "/engin: No such setting (from GEODNS_SERVER_ENGIN). Did you mean engine?",
        f'/view_budget_mb: "0" (from {config} line 1) must be a whole number within 1 and 65536.',
        f"/werkers: No such setting (from {config} line 2). Did you mean workers?",
        '/workers: "300" (from GEODNS_SERVER_WORKERS) must be a whole number within 1 and 64.',
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("- workers\n", "must be a mapping"),
        ("workers: [1\n", "is not YAML"),
        ("x" * (FILE_MAX_OCTETS + 1), "octets"),
        ("\udcff", "cannot be read"),
        ("[" * 5000, "is not YAML"),
    ],
)
def test_a_settings_file_that_is_none_is_refused(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "settings.yaml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    [reason] = reasons_of(config=path)
    assert what in reason.detail
    assert str(path) in reason.detail


def test_a_settings_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    [reason] = reasons_of(config=tmp_path / "none.yaml")
    assert "No such file" in reason.detail


def test_a_setting_written_twice_or_nested_is_refused(tmp_path: Path) -> None:
    told = [*reasons_of(config=settings_file(tmp_path, "workers: 1\nworkers: 2\n"))]
    assert ["twice" in reason.detail for reason in told] == [True]
    [nested] = reasons_of(config=settings_file(tmp_path, "workers: {a: 1}\n"))
    assert nested.pointer == "/workers"


@pytest.mark.parametrize("text", ["127.0.0.1:5300", "[::]:53", "[2001:db8::1]:0"])
def test_an_endpoint_is_written_as_it_is_read(text: str) -> None:
    assert str(endpoint(text)) == text


def test_a_location_may_have_spaces() -> None:
    assert location("50.1, -8.7") == (50.1, -8.7)


def test_the_state_directory_is_roots_own_or_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_data_dir({"HOME": "/h"}) == "/var/lib/geodns"
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert default_data_dir({"HOME": "/h"}) == "/h/.local/state/geodns"
    assert default_data_dir({"HOME": "/h", "XDG_STATE_HOME": "/s"}) == "/s/geodns"
    assert default_data_dir({"HOME": "/h", "XDG_STATE_HOME": "s"}) == "/h/.local/state/geodns"


def test_relative_paths_are_made_absolute() -> None:
    assert load({"data_dir": "x"}, {}, None).data_dir == Path.cwd() / "x"


def test_the_documentation_has_a_row_for_each_setting() -> None:
    rows = markdown().splitlines()
    assert len(rows) == len(TABLE) + 2
    for row, text in zip(TABLE, rows[2:], strict=True):
        assert f"`{row.variable}`" in text
        assert row.help in text
        assert text.count(" | ") == 3


def test_what_is_given_for_a_secret_is_not_shown() -> None:
    (reason,) = reasons_of({"api_tls_key": "hush\0", "api_tls_cert": "x"})
    assert "hush" not in f"{reason.detail} {reason.value}"
    assert [row.name for row in TABLE if row.secret] == ["api_tls_key", "cookie_secret_file"]


@pytest.mark.parametrize("name", ["api_tls_key", "api_tls_client_ca"])
def test_what_belongs_to_a_certificate_needs_one(name: str) -> None:
    (reason,) = reasons_of({name: "file"})
    assert (reason.pointer, reason.code) == (f"/{name}", "needs_another")
    assert "--api-tls-cert" in reason.detail
