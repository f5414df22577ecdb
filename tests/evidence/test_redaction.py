"""Redaction: what is secret or personal is masked wherever it stands."""

import base64
import json
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsproof.evidence.redaction import Redactor

SECRETS = st.text(min_size=6, max_size=40).filter(lambda text: len(text.strip()) >= 6 and "***" not in text)

PLACES = {
    "plain": lambda secret: secret,
    "sentence": lambda secret: f"login of {secret} refused",
    "url": lambda secret: f"https://api.example/x?key={quote(secret, safe='')}&a=b",
    "form": lambda secret: f"a=b&x={quote_plus(secret)}",
    "userinfo": lambda secret: f"postgresql://app:{quote(secret, safe='')}@db/x",
    "json": lambda secret: json.dumps({"note": f"is {secret}"}),
    "json-unicode": lambda secret: json.dumps({"note": f"is {secret}"}, ensure_ascii=False),
    "python": lambda secret: repr([secret]),
    "base64": lambda secret: base64.b64encode(secret.encode(errors="surrogatepass")).decode(),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@given(secret=SECRETS)
def test_a_known_secret_of_any_text_is_masked_in_every_place(place, secret):
    text = place(secret)

    masked = Redactor([secret]).text(text)

    assert text not in masked
    assert not secret.strip() or secret not in masked
    assert "***" in masked


@given(secret=SECRETS, key=st.sampled_from(["note", "password", "items"]))
def test_a_known_secret_is_masked_anywhere_in_a_json_value(secret, key):
    value = {key: [secret, {"deep": f"x{secret}y", secret: 1}], "n": 1}

    masked = Redactor([secret]).value(value)

    assert secret not in json.dumps(masked, ensure_ascii=False)
    assert masked["n"] == 1


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("authorization: basic b3BzOnB3", "authorization: basic ***"),
        ('{"token": "abc", "n": 1}', '{"token": "***", "n": 1}'),
        ('{"accessToken": 12345, "ok": true}', '{"accessToken": "***", "ok": true}'),
        ('{"client_secret": null, "password": false}', '{"client_secret": null, "password": false}'),
        ("{'secret': 'it\\'s me'}", "{'secret': '***'}"),
        ("password=hunter2&user=ops", "password=***&user=ops"),
        ('note="password=abc def"', 'note="password=*** def"'),
        ("X-API-Key: k-123", "X-API-Key: ***"),
        ("JWT_SECRET='a b'", "JWT_SECRET='***'"),
        ('token: "cut in the mid', 'token: "***"'),
        ("postgresql://app:pw@db:5432/x", "postgresql://***@db:5432/x"),
        ("redis://:pw@cache/0", "redis://***@cache/0"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln is it", "*** is it"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "***"),
        ("mail kim@example.co.kr, call 010-1234-5678", "mail ***, call ***"),
        ("주민 900101-1234567 카드 1234-5678-9012-3456", "주민 *** 카드 ***"),
        ("AKIAABCDEFGHIJKLMNOP", "***"),
    ],
)
def test_what_looks_like_a_secret_is_masked_and_json_stays_json(text, masked):
    assert Redactor().text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "the bearer token of identity admin expired",
        "token_count=5, password_length: 32, secret_present=true",
        "2026-11-21T04:07:29.542209+00:00",
        "p95 = 412 ms over 300 ms; 127.0.0.1:5432; sha256:0123-4567",
        '{"api_key": null}',
        "GET /items/12345678-1234-1234-1234-123456789012",
        "select count(*) from tokens where state = 'open'",
    ],
)
def test_ordinary_text_stays_as_it_is(text):
    assert Redactor().text(text) == text


def test_keys_that_name_secrets_hide_their_values_whole():
    value = {"Set-Cookie": "a=b; c=d", "db_password": ["x", "y"], "token_count": 5, "has_token": True, "api_key": 77}

    assert Redactor().value(value) == {
        "Set-Cookie": "***",
        "db_password": "***",
        "token_count": 5,
        "has_token": True,
        "api_key": "***",
    }


def test_a_short_secret_is_masked_only_where_it_stands_alone():
    """Else the user name `app` would make `application` unreadable."""
    assert Redactor(["app"]).text("app of the application") == "*** of the application"


@pytest.mark.parametrize("text", ["long-planted-sec...", "...planted-secret-value", "x long-planted...secret-value y"])
def test_a_secret_that_was_cut_in_the_middle_is_masked(text):
    """pytest cuts long texts; half a secret is half too much."""
    masked = Redactor(["long-planted-secret-value"]).text(text)

    assert "planted" not in masked
    assert "secret" not in masked


@pytest.mark.parametrize(
    "text",
    ["a" * 65536, "a-" * 32768, "token_" * 10000, "a." * 32768 + "@", '{"password": "' + "\\" * 60000, "eyJ-" * 16000],
    ids=["word", "dashes", "names", "mail", "backslashes", "jwt"],
)
def test_redaction_does_not_hold_up_the_gate(text):
    """Linear in the text: 64 KiB took nine seconds when a pattern could backtrack."""
    started = time.process_time()

    Redactor(["planted"]).text(text)

    assert time.process_time() - started < 2, "seconds of processor time; a backtracking pattern takes many"


def test_what_is_nested_beyond_reading_is_masked_whole():
    value = deep = {}
    for _ in range(400):
        deep["a"] = deep = {}

    assert "***" in json.dumps(Redactor().value(value))


def test_a_secret_that_a_pretty_printer_broke_over_lines_is_masked():
    """pytest shows long bytes and texts in pieces, one a line."""
    secret = "".join(chr(ord("a") + number % 26) for number in range(90))
    text = f"E    'raw': b'{secret[:40]}'\nE           b'{secret[40:80]}'\nE           b'{secret[80:]}', 'x': 1"

    masked = Redactor([secret]).text(text)

    assert all(secret[start : start + 8] not in masked for start in range(0, 80, 8))
    assert "'x': 1" in masked


def test_literals_that_hold_no_secret_stay_as_they_are():
    """A list of texts, one a line, is no broken literal."""
    text = "['abc',\n 'def']\n'one'\n'two'"

    assert Redactor(["a-secret-of-ours"]).text(text) == text
