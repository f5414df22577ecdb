"""Credentials go to a server whose certificate was verified, and to no other."""

from pathlib import Path

import pytest
import trustme
from load_runs import ended, serving, started, write_profile


@pytest.mark.parametrize("users", ["Reads", "ReadsByRequests"])
@pytest.mark.parametrize(("trusted", "status"), [(True, 0), (False, 1)])
def test_a_certificate_is_verified(tmp_path: Path, users: str, trusted: bool, status: int) -> None:
    """Without the authority every request fails before anything is sent: Locust by itself would not look."""
    authority, other = trustme.CA(), trustme.CA()
    (authority if trusted else other).cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    with serving(tmp_path / "server.pem") as port:
        where = {"url": "https://localhost:{port}", "authority": str(tmp_path / "authority.pem")}
        write_profile(
            tmp_path, port, gates={"errors": 'measure: errors, limit: "< 5 %"'}, rate=30, duration="4s", **where
        )
        with started(tmp_path, "--headless", "--profile", "demo/local", users) as locust:
            ran = ended(tmp_path, locust)

    assert ran.status == status, ran.output
    assert ran.gate("errors") == ("PASS" if trusted else "FAIL")
    errors = " ".join(text for one in ran.fact.requests for text in one.errors)
    assert ("certificate verify failed" in errors.lower()) is not trusted
