"""What an operator reads when a profile is wrong: every sentence in full."""

from collections.abc import Callable
from pathlib import Path

import pytest

from opsproof.errors import ProfileError
from opsproof.profile import load_profile
from opsproof.profile.targets import HttpTarget
from opsproof.profile.yaml_source import MAX_BYTES

MistakesIn = Callable[..., list[str]]
Write = Callable[[str, str], Path]
_WORK = 'work: [{name: a, submit: /a, body: {seed: 1}, id_field: id, status: "/a/{id}", delete: "/a/{id}", MORE}]'


def test_the_whole_error_says_what_where_and_what_next(root: Path, write: Write) -> None:
    """The frame around the mistakes is the same for every profile."""
    file = write("shop/staging.yaml", "system: shop\nenvironment: staging\ntitle: {en: Shop, ko: 상점}\nhealht: {}\n")

    with pytest.raises(ProfileError) as caught:
        load_profile("shop/staging", root=root, variables={})

    assert str(caught.value) == (
        "the profile shop/staging is not valid, 1 mistake:\n"
        f"    {file}:4: healht: unknown key; did you mean `health`?\n"
        f"  where: {file}\n"
        "  next:  correct what is listed, then run: opsproof profile check shop/staging"
    )


def test_files_below_the_working_folder_are_shown_relative(
    root: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short path that can be clicked."""
    write("shop/staging.yaml", "")
    monkeypatch.chdir(root.parent)

    with pytest.raises(ProfileError, match=r" profiles/shop/staging\.yaml:1: the file is empty\n"):
        load_profile("shop/staging", root=root, variables={})


def test_all_mistakes_show_at_once_in_the_order_of_the_lines(mistakes_in: MistakesIn) -> None:
    """One round is enough: syntax of references, unset variables, keys, types and names in one list."""
    assert mistakes_in(
        """\
        environment: staging
        targets:
          api:
            kind: http
            urll: http://127.0.0.1
            auth: {bearer: "${SHOP_TOKEN}"}
            timeout: soon
          database: {kind: postgres, dsn: "postgresql://${", depends_on: [apii]}
        core: [{name: x, path: 5}]
        """,
    ) == [
        "staging.yaml:4: environment: given twice; first in line 2",
        "staging.yaml:6: targets.api.url: is missing",
        "staging.yaml:8: targets.api.urll: unknown key; did you mean `url`? "
        f"The keys here are: {', '.join(HttpTarget.model_fields)}",
        "staging.yaml:9: targets.api.auth.bearer: the variable SHOP_TOKEN is not set; "
        "set it, or write ${SHOP_TOKEN:-default}",
        "staging.yaml:10: targets.api.timeout: expected a duration such as 250ms, 5s, 2m or 12h",
        "staging.yaml:11: targets.database.depends_on[0]: names no target; did you mean `api`? "
        "There are: api, database",
        "staging.yaml:11: targets.database.dsn: expected ${VAR} or ${VAR:-default}, the default without ${...}; "
        "write $${ for a plain ${",
        "staging.yaml:12: core[0].path: expected a text (put a number or true/false in quotes)",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "targets: {api: {kind: htp, url: x}}",
            "4: targets.api.kind: unknown kind; the kinds are: "
            "'http', 'prometheus', 'scrape', 'alertmanager', 'loki', 'postgres', 'redis', 'celery', "
            "'alembic', 'logfile', "
            "'settings'",
            id="unknown-kind",
        ),
        pytest.param(
            "targets: {api: {url: x}}", "4: targets.api: has no key `kind`, which says what it is", id="no-kind"
        ),
        pytest.param(
            "targets: {api: {kind: http, url: 'ftp://host'}}",
            "4: targets.api.url: expected an address of the form http://HOST[:PORT] (http, https)",
            id="wrong-scheme",
        ),
        pytest.param(
            "targets: {db: {kind: postgres, dsn: 'host=x password=hunter2'}}",
            "4: targets.db.dsn: expected an address of the form postgresql://HOST[:PORT] (postgresql, postgres)",
            id="dsn-not-an-address",
        ),
        pytest.param(
            "targets: {c: {kind: redis, url: 'redis://:hunt/er@2@host'}}",
            "4: targets.c.url: expected an address of the form redis://HOST[:PORT] (redis, rediss)",
            id="password-not-encoded-breaks-the-host",
        ),
        pytest.param(
            "targets: {c: {kind: redis, url: 'redis://u:12/hunter@host'}}",
            "4: targets.c.url: expected user and password percent-encoded (@ is %40, / is %2F, # is %23, ? is %3F)",
            id="password-not-encoded-looks-like-a-path",
        ),
        pytest.param(
            "targets: {api: {kind: http, url: 'http://h', auth: {bearer: a, api_key: b}}}",
            "4: targets.api.auth: expected exactly one of `bearer`, `api_key`, or `user` with `password`",
            id="two-ways-to-log-in",
        ),
        pytest.param(
            "targets: {api: {kind: http, url: 'http://h', concurrency: 100}}",
            "4: targets.api.concurrency: expected at most 64",
            id="too-many",
        ),
        pytest.param(
            "targets: {api: {kind: http, url: 'http://h', concurrency: few}}",
            "4: targets.api.concurrency: expected a whole number",
            id="not-a-number",
        ),
        pytest.param(
            "policy: {check_deadline: 0s}", "4: policy.check_deadline: expected more than 0", id="no-time-at-all"
        ),
        pytest.param("policy: {writes: maybe}", "4: policy.writes: expected true or false", id="not-a-bool"),
        pytest.param(
            "policy: {fail_on: P1}",
            "4: policy.fail_on: expected one of: 'SEV-1', 'SEV-2' or 'SEV-3'",
            id="not-a-severity",
        ),
        pytest.param(
            "policy: {waivers: [{check: a, owner: '', reason: r, until: 2026-12-31T10:00:00}]}",
            "4: policy.waivers[0].owner: expected a text of at least 1 characters",
            id="empty-owner",
        ),
        pytest.param(
            "policy: {waivers: [{check: a, owner: b, reason: r, until: 2026-12-31T10:00:00}]}",
            "4: policy.waivers[0].until: expected a time zone, for example 2026-12-31T18:00:00+09:00 "
            "(a bare date ends at 24:00 UTC)",
            id="waiver-without-zone",
        ),
        pytest.param(
            "policy: {waivers: [{check: a, owner: b, reason: r, until: soon}]}",
            "4: policy.waivers[0].until: expected a date (2026-12-31) or a time with zone (2026-12-31T18:00:00+09:00)",
            id="not-a-date",
        ),
        pytest.param("health: [a]", "4: health: expected a mapping (keys with values)", id="list-for-mapping"),
        pytest.param("core: {a: b}", "4: core: expected a list", id="mapping-for-list"),
        pytest.param(
            "release: {field: version}",
            "4: release.path: is missing (Path whose JSON answer holds the version)",
            id="missing-key",
        ),
        pytest.param(
            "stored_metadata: {sql: s, keys: []}",
            "4: stored_metadata.keys: expected a list of at least 1",
            id="empty-list",
        ),
        pytest.param(
            "health: {components: {db: database}}",
            "4: health.components.db: names no target; there are: none",
            id="component-of-no-target",
        ),
        pytest.param(
            "targets: {api: {kind: http, url: 'http://h', identities: {admin: {bearer: t}}}}\n"
            "authorization: {path: /x, admitted: admni}",
            "5: authorization.admitted: names no identity of targets.api; did you mean `admin`? There are: admin",
            id="identity-misspelt",
        ),
        pytest.param(
            "targets: {api: {kind: http, url: 'http://h'}}\ncore: [{name: x, path: /x, identity: reader}]",
            "5: core[0].identity: names no identity of targets.api; there are: none",
            id="identity-of-a-core-path",
        ),
        pytest.param(
            _WORK.replace("MORE", "metadata_as_sent: [seed, mode]"),
            "4: work[0]: `metadata_as_sent` names mode, which `body` does not have",
            id="metadata-that-is-not-sent",
        ),
        pytest.param(
            _WORK.replace("MORE", "marked: SELECT 1"),
            "4: work[0]: `marked` looks for a marker, and `body` has no {marker}",
            id="marker-that-is-not-sent",
        ),
        pytest.param("health:\n", "4: health: has no value; write one, or null to remove an inherited key", id="void"),
        pytest.param("health: {live: a\n", "5: not YAML: while parsing a flow mapping (line 4)", id="syntax"),
        pytest.param("health:\n\tlive: /x\n", "5: a tab; indent YAML with spaces", id="tab"),
        pytest.param("health: {live: \x07}", "4: a control character; remove it", id="control-character"),
        pytest.param("---\nhealth: {}", "4: expected one document; here a second one begins", id="second-document"),
        pytest.param(
            "health: !!python/object:os.system {}",
            "4: health: a tag (!...); tags are not allowed, quote the value if it begins with !",
            id="tag",
        ),
        pytest.param(
            "health: *hunter2",
            "4: health: an alias (*...) of no finished anchor; quote the value if it begins with *",
            id="unknown-alias",
        ),
        pytest.param(
            "health: &a {live: *a}",
            "4: health.live: an alias (*...) of no finished anchor; quote the value if it begins with *",
            id="alias-inside-its-own-anchor",
        ),
        pytest.param("? [a]\n: b", "4: expected a plain word as key", id="key-that-is-a-list"),
        pytest.param("health: {<<: 5}", "4: health: expected a mapping or a list of mappings behind <<", id="merge"),
        pytest.param("core: " + "[" * 50 + "]" * 50, "nested deeper than 40 levels", id="too-deep"),
    ],
)
def test_a_mistake_is_said_in_words_of_the_operator(mistakes_in: MistakesIn, text: str, expected: str) -> None:
    """File, line, key, and what was expected; never what was found."""
    mistakes = mistakes_in(text)

    assert any(expected in mistake and mistake.startswith("staging.yaml:") for mistake in mistakes), mistakes
    assert "hunt" not in "".join(mistakes)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", "staging.yaml:1: the file is empty", id="empty"),
        pytest.param(b"# only a comment\n", "staging.yaml:1: the file is empty", id="only-a-comment"),
        pytest.param(b"--- \n", "staging.yaml:1: the file is empty", id="empty-document"),
        pytest.param(b"- a\n", "staging.yaml:1: expected a mapping (keys with values)", id="list"),
        pytest.param(b"a: b\nc: \xff\xfe\n", "staging.yaml:2: not UTF-8; save the file as UTF-8", id="not-utf-8"),
        pytest.param(b"#" * (MAX_BYTES + 1), "staging.yaml:1: larger than 1 MB; a profile is a few pages", id="large"),
    ],
)
def test_a_file_that_is_no_profile_is_refused(root: Path, write: Write, content: bytes, expected: str) -> None:
    """Before anything is parsed that could take long or end in a traceback."""
    write("shop/staging.yaml", "").write_bytes(content)

    with pytest.raises(ProfileError) as caught:
        load_profile("shop/staging", root=root, variables={})

    assert expected in caught.value.what


def test_a_folder_in_place_of_the_file_is_refused(root: Path) -> None:
    """A folder named staging.yaml ends in words, not in a traceback."""
    (root / "shop/staging.yaml").mkdir(parents=True)

    with pytest.raises(ProfileError, match="expected a file, found a folder or device"):
        load_profile("shop/staging", root=root, variables={})


def test_repeated_aliases_are_bounded(mistakes_in: MistakesIn) -> None:
    """Ten levels of ten aliases would be ten thousand million values."""
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 11))

    (mistake,) = mistakes_in(f"l0: &l0 [x]\n{levels}", head="")

    assert mistake.endswith("more than 20000 values (an alias counts with all that it repeats)")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("targets: {api: {kind: http, url: 'http://h', auth: {bearer:hunter2}}}", id="space-forgotten"),
        pytest.param("targets: {api: {kind: http, url: 'http://h', auth: bearer hunter2}}", id="mapping-forgotten"),
        pytest.param("targets: {api: {kind: http, url: 'http://h', auth: {bearer: [hunter2]}}}", id="list"),
        pytest.param("targets: {api: {kind: http, url: 'hunter2', auth: {bearer: !hunter2}}}", id="tag"),
        pytest.param("targets: {api: {kind: http, url: 'http://h', auth: {bearer: *hunter2}}}", id="alias"),
        pytest.param("targets: {api: {kind: http, url: 'http://h', auth: {bearer: 'hunter2}}}", id="open-quote"),
        pytest.param("targets: {api: {kind: http, url: 'http://h', auth: {bearer: @hunter2}}}", id="odd-character"),
        pytest.param("targets: {c: {kind: redis, url: 'redis://:hunter2@host:port'}}", id="address"),
        pytest.param("policy: {fail_on: hunter2}", id="choice"),
    ],
)
def test_a_value_is_never_repeated_in_an_error(mistakes_in: MistakesIn, text: str) -> None:
    """A mistake right at a secret must not print the secret."""
    assert "hunter2" not in "".join(mistakes_in(text))


def test_a_forgotten_space_behind_a_colon_is_explained(mistakes_in: MistakesIn) -> None:
    """YAML takes `{bearer:TOKEN}` for one long key; the operator sees only that something is unknown."""
    mistakes = mistakes_in("targets: {api: {kind: http, url: 'http://h', auth: {bearer:hunter2}}}")

    assert ("staging.yaml:4: targets.api.auth.bearer...: has no value; a space belongs behind the colon") in mistakes
