"""What is said of a rehearsal that cannot be resumed."""

from types import SimpleNamespace

import pytest

from opsproof.evidence.redaction import Redactor
from opsproof.plugin.rehearsing import Rehearsing


@pytest.mark.parametrize(("resumes", "said"), [(True, 1), (False, 0)])
def test_a_rehearsal_on_sites_of_its_own_begins_anew_and_says_so(tmp_path, resumes, said):
    """Its sites are gone with the one that was interrupted: nobody should wait for what is not taken up."""
    words = []
    rehearsing = Rehearsing(
        redactor=Redactor(),
        say=words.append,
        run_id="demo",
        journals=tmp_path,
        reload=lambda name, variables: None,
        allowed=frozenset(),
        resumes=resumes,
    )
    rehearsing.plans["demo/embedded", "region-loss"] = SimpleNamespace(sha256="0" * 64)
    profile = SimpleNamespace(name="demo/embedded", environment="embedded")

    for _ in range(2):
        rehearsing.rehearsal(profile, "region-loss")

    assert len(words) == said
    assert all("region-loss begins anew" in one for one in words)
