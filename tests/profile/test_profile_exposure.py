"""What is secret in a profile, and what is shown of it."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from opsproof.profile import Profile, as_document, as_yaml, load_profile, secrets_of

Write = Callable[[str, str], Path]
PASSWORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=4, max_size=20)
"""Shorter ones occur by chance in ordinary words."""


def profile(**targets: object) -> Profile:
    return Profile.model_validate(
        {"system": "shop", "environment": "staging", "title": {"en": "Shop", "ko": "상점"}, "targets": targets}
    )


@pytest.mark.parametrize(
    ("target", "secrets"),
    [
        pytest.param({"kind": "http", "url": "http://h:1/x"}, set(), id="an-address-alone-is-not-secret"),
        pytest.param(
            {"kind": "http", "url": "http://h", "auth": {"bearer": "the-token"}}, {"the-token"}, id="bearer-token"
        ),
        pytest.param(
            {"kind": "http", "url": "http://h", "identities": {"admin": {"api_key": "the-key"}}},
            {"the-key"},
            id="api-key-of-another-identity",
        ),
        pytest.param(
            {"kind": "http", "url": "http://h", "auth": {"user": "me", "password": "the-word"}},
            {"the-word", "me:the-word"},
            id="user-and-password",
        ),
        pytest.param(
            {"kind": "postgres", "dsn": "postgresql://me:p%40ss@h/db"},
            {"p@ss", "p%40ss", "me:p@ss", "me:p%40ss", "postgresql://me:p%40ss@h/db"},
            id="password-as-written-and-decoded",
        ),
        pytest.param({"kind": "postgres", "dsn": "postgresql://me@h/db"}, set(), id="database-user-alone"),
        pytest.param(
            {"kind": "postgres", "dsn": "postgresql://h/db?sslmode=require&password=the-word"},
            {"the-word", "postgresql://h/db?sslmode=require&password=the-word"},
            id="password-in-the-query",
        ),
        pytest.param(
            {"kind": "redis", "url": "redis://:the-word@h"},
            {"the-word", ":the-word", "redis://:the-word@h"},
            id="cache",
        ),
        pytest.param(
            {"kind": "http", "url": "https://the-token@h"}, {"the-token", "https://the-token@h"}, id="token-as-user"
        ),
    ],
)
def test_secrets_are_found_wherever_a_profile_can_hold_one(target: dict[str, object], secrets: set[str]) -> None:
    """The redactor masks exactly these; words that are no secret stay readable."""
    assert secrets_of(profile(x=target)) == secrets


@given(PASSWORDS, PASSWORDS, PASSWORDS)
def test_no_secret_is_in_what_is_shown(token: str, key: str, password: str) -> None:
    """Neither as written nor decoded."""
    shown = profile(
        api={
            "kind": "http",
            "url": f"http://u:{quote(password, safe='')}@h/?key={quote(key, safe='')}",
            "auth": {"bearer": f"#{token}#"},
            "identities": {"a": {"api_key": f"#{key}#"}, "b": {"user": "u", "password": f"#{password}#"}},
        }
    )

    for text in (as_yaml(shown), json.dumps(as_document(shown)), repr(shown), str(shown.model_dump(mode="json"))):
        assert f"#{token}#" not in text
        assert f"#{key}#" not in text
        assert f"#{password}#" not in text
        assert f":{quote(password, safe='')}@" not in text


def test_a_secret_repeated_in_an_ordinary_text_is_masked_there() -> None:
    """A token pasted into a header name or a path."""
    shown = as_document(
        profile(api={"kind": "http", "url": "http://h", "auth": {"api_key": "abc123", "api_key_header": "X-abc123"}})
    )

    assert shown["targets"]["api"]["auth"] == {"api_key": "***", "api_key_header": "X-***"}


def test_show_is_yaml_in_the_order_of_the_models_and_in_units(root: Path, write: Write) -> None:
    """A person compares it with the file and with the runbook."""
    write(
        "shop/staging.yaml",
        """\
        title: {ko: 상점, en: Shop}
        environment: staging
        system: shop
        stored_metadata:
          keys: [seed]
          sql: |
            SELECT id, metadata
            FROM runs
        targets:
          database: {dsn: "postgresql://me:word@db:5432/x?sslmode=require", kind: postgres, timeout: 1.5s}
        """,
    )

    text = as_yaml(load_profile("shop/staging", root=root, variables={}))

    assert text.startswith(
        "system: shop\nenvironment: staging\ntitle:\n  en: Shop\n  ko: 상점\ntimezone: UTC\ntargets:\n  database:\n"
    )
    assert "    dsn: postgresql://***@db:5432/x?***\n" in text
    assert "    timeout: 1500ms\n" in text
    assert "  sql: |\n    SELECT id, metadata\n    FROM runs\n" in text
    assert "  run_deadline: 5m\n" in text


def test_what_is_shown_is_a_profile_again(root: Path, write: Write) -> None:
    """Apart from the masks: the same keys, the same values."""
    shown = profile(
        api={"kind": "http", "url": "http://h", "timeout": "90s"}, own={"kind": "settings", "pid_file": "p"}
    )

    assert Profile.model_validate(yaml.safe_load(as_yaml(shown))) == shown
