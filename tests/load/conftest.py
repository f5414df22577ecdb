"""Locust is loaded here without its patches: they would turn threads and sockets of all other tests into gevent's."""

import pytest

with pytest.MonkeyPatch.context() as patch:
    patch.setenv("LOCUST_SKIP_MONKEY_PATCH", "1")  # not for the processes that tests start
    import locust  # noqa: F401
