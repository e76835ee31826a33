"""Loaded by schemathesis: refusals of what the contract allows, where it could have said better.

What spans resources (references, duplicates) JSON Schema cannot say, so schemathesis is told that
422 may answer a good request; here it must then be for such a reason.
"""

from __future__ import annotations

import itertools

import schemathesis

FORM = {
    "bad_form", "bad_header", "duplicate_parameter", "not_a_choice", "not_json",
    "out_of_range", "required", "too_few", "too_many", "unknown_field", "unknown_parameter",
    "wrong_type",
}  # fmt: skip
"""Reasons that are about the form of one field."""

SPANNING = {
    ("location", "required"),  # no place is known for the address
    ("send", "required"),  # or send_hex
    ("timeout_s", "out_of_range"),  # above interval_s
    ("max_latency_ms", "out_of_range"),  # above timeout_s
    ("min_answers", "out_of_range"),  # above answers
    ("count", "out_of_range"),  # above the number of monitors
    ("expires_at", "out_of_range"),  # past
    ("lease_s", "required"),
    ("until", "out_of_range"),  # before from
    ("ttl_min", "out_of_range"),  # above ttl
    ("answers", "out_of_range"),  # of names there is one
    ("hi", "out_of_range"),  # below lo
    ("lo", "out_of_range"),
    ("body", "required"),
    ("host", "required"),  # of grpc with tls
    ("latency", "required"),  # with order latency; its coverage does not look at conditions
    ("query", "bad_form"),
    ("answer", "bad_form"),  # record data
    ("regex", "bad_form"),  # RE2's
    ("rcode", "not_a_choice"),
    ("1", "too_many"),  # of a CNAME or DNAME there is one
}
"""The last part of a pointer and a code: about several fields, or about what only we know."""


@schemathesis.check
def no_needless_refusal(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """A request that follows the contract is not refused for its form."""
    if response.status_code != 422 or case.meta is None or case.meta.generation.mode.is_negative:
        return
    needless = [
        reason
        for reason in response.json()["reasons"]
        if reason["code"] in FORM
        # A patch cannot know what it will be merged into.
        and not (case.method == "PATCH" and reason["code"] == "required")
        and (reason["pointer"].rpartition("/")[2], reason["code"]) not in SPANNING
    ]
    assert not needless, f"refused for its form: {needless}"


@schemathesis.check
def errors_have_one_form(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> None:
    """Every error is a problem of RFC 9457 that says what to do, and can be found in the log."""
    if response.status_code < 400 or "idempotency-replayed" in response.headers:
        return
    assert response.headers["content-type"] == ["application/problem+json"]
    problem = response.json()
    assert problem["status"] == response.status_code
    assert [problem["request_id"]] == response.headers["x-request-id"]
    assert all(reason["code"] and reason["detail"] for reason in problem["reasons"])


_keys = itertools.count()


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: object) -> None:
    """Two requests that happen to draw the same key would be one to the server."""
    key = (case.headers or {}).get("Idempotency-Key")
    if key and case.meta is not None and not case.meta.generation.mode.is_negative:
        case.headers["Idempotency-Key"] = f"{key.strip(chr(34))[:200]}-{next(_keys)}"
