"""Object stores in a profile: what an operator reads when one is written wrong."""

from collections.abc import Callable

import pytest
from pydantic import TypeAdapter

from opsproof.profile.stores import NamePrefix, Place, place

FORMS = "expected an address of the form s3://BUCKET[/PREFIX], gs://BUCKET[/PREFIX], az://ACCOUNT/CONTAINER[/PREFIX]"
NAMES = "expected how names of objects begin"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://backups", Place("s3", "", "backups", "")),
        ("s3://backups/shop/daily/", Place("s3", "", "backups", "shop/daily")),
        ("gs://my_bucket.example.com/x", Place("gs", "", "my_bucket.example.com", "x")),
        ("az://account/container/한글 이름", Place("az", "account", "container", "한글 이름")),
        ("local:///var/backups", Place("local", "", "/var/backups", "")),
    ],
)
def test_an_address_says_where_and_what(url: str, expected: Place) -> None:
    """As the clouds' own tools write it."""
    assert place(url) == expected


@pytest.mark.parametrize(
    ("target", "mistake"),
    [
        pytest.param("url: 'backups'", f"url: {FORMS} or local:///FOLDER", id="no-scheme"),
        pytest.param("url: 's3://user:planted@host'", f"url: {FORMS} or local:///FOLDER", id="password"),
        pytest.param("url: 's3://a b'", f"url: {FORMS} or local:///FOLDER", id="space"),
        pytest.param("url: 'az://account'", f"url: {FORMS} or local:///FOLDER", id="no-container"),
        pytest.param("url: 'local://relative'", f"url: {FORMS} or local:///FOLDER", id="relative"),
        pytest.param("url: 's3://b/a/../c'", f"url: {NAMES}", id="above"),
        pytest.param("url: 's3://b', access_key: a", " expected `access_key` and `secret_key` together", id="half"),
        pytest.param("url: 'gs://b', access_key: a", " expected no `access_key` with gs://", id="key-of-gs"),
        pytest.param("url: 'local:///b', region: a", " expected no `region` with local://", id="region-of-a-folder"),
        pytest.param("url: 's3://b', region: a b", r"region: expected a text of the form ^[\w-]+$", id="region"),
        pytest.param(
            'url: "s3://b", access_key: "planted\\n", secret_key: x',
            "access_key: expected one word of ASCII; see whether a line feed came with it",
            id="line-feed",
        ),
    ],
)
def test_a_store_that_is_written_wrong_is_told(
    mistakes_in: Callable[..., list[str]], target: str, mistake: str
) -> None:
    """By its key, and without what may be secret."""
    (line,) = mistakes_in(f"targets: {{backups: {{kind: store, {target}}}}}")

    assert mistake in line
    assert "targets.backups" in line
    assert "planted" not in line


@pytest.mark.parametrize("prefix", ["/daily", "daily//x", "../x", "a/./b", "a\n/b"])
def test_a_prefix_that_no_name_can_have_is_refused(prefix: str) -> None:
    """It would find nothing for ever, and the backup would look lost."""
    with pytest.raises(ValueError, match=NAMES):
        TypeAdapter(NamePrefix).validate_python(prefix)


@pytest.mark.parametrize("prefix", ["", "daily", "daily/", "daily/{today:%Y/%m}/shop-", "한글 이름", "a.b/..c"])
def test_a_prefix_may_end_anywhere(prefix: str) -> None:
    """Within a name as well as at a slash."""
    assert TypeAdapter(NamePrefix).validate_python(prefix) == prefix
