"""A service finds its database by name only where it is told how, and says what is missing."""

import pytest

from opsproof.stack.services.common.settings import Settings, SettingsError, Variables

_KNOWN = {"DATABASE_URL": "postgresql://one@127.0.0.1/one", "REDIS_URL": "redis://127.0.0.1:6379/0"}


def test_without_a_name_nothing_is_resolved():
    """Every other service of the stack is as it was."""
    settings = Settings.read("factory-ai", Variables(_KNOWN))

    assert (settings.database_srv, settings.dns_resolver) == ("", "")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param({"DATABASE_SRV": "_pg._tcp.test"}, "belong together", id="no-resolver"),
        pytest.param({"DNS_RESOLVER": "127.0.0.1:53"}, "belong together", id="no-name"),
        pytest.param(
            {"DATABASE_SRV": "_pg._tcp.test", "DNS_RESOLVER": "localhost"}, "ADDRESS:PORT", id="a-name-as-resolver"
        ),
    ],
)
def test_half_a_setting_is_refused(more, said):
    """A service that fell back to its URL would be on the wrong database after a switch."""
    with pytest.raises(SettingsError, match=said):
        Settings.read("factory-ai", Variables(_KNOWN | more))
