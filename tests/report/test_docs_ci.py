"""docs/ci.md: what people copy into their pipelines must be whole, and must use options that exist."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsproof.judge.verdict import EXIT_STATUS
from opsproof.plugin.options import HELP

PAGE = (Path(__file__).parents[2] / "docs" / "ci.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n# (\S+?)[, \n].*?$(.*?)^```$", "".join(PAGE), re.MULTILINE | re.DOTALL)
GATE, RELEASE, GITLAB, JOB = (yaml.load(text, yaml.BaseLoader) for _, text in BLOCKS)


def scripts(node: Any) -> str:
    """All texts of a YAML document, a line each."""
    if isinstance(node, dict):
        return "\n".join(map(scripts, node.values()))
    if isinstance(node, list):
        return "\n".join(map(scripts, node))
    return str(node)


def test_every_block_names_its_file() -> None:
    """People copy the block; the first line says where to."""
    assert [name for name, _ in BLOCKS] == [
        ".github/workflows/gate.yaml",
        ".github/workflows/release.yaml",
        ".gitlab-ci.yml",
        "gate.yaml",
    ]


def test_every_option_of_the_page_exists() -> None:
    """An option that was renamed would end every pipeline with status 4."""
    commands = [line for line in PAGE.splitlines() if "pytest -m" in line]
    used = set(re.findall(r"(?<!\S)--([a-z-]+)", "\n".join(commands)))
    arguments = JOB["spec"]["template"]["spec"]["containers"][0]["args"]
    used |= set(re.findall(r"^--([a-z-]+)", "\n".join(arguments), re.MULTILINE))

    assert len(commands) >= 5
    assert used <= set(HELP)
    assert used >= {"profile", "expect-version", "allow-writes", "reports", "replay"}


def test_folders_are_given_with_an_equals_sign() -> None:
    """pytest takes an existing folder that stands alone for the place of its configuration, and finds no opsproof."""
    assert re.findall(r"--(?:reports|replay)[ \n]", PAGE) == []


def test_every_exit_status_is_explained() -> None:
    """A pipeline that does not know 6 either rolls back for nothing or goes on blind."""
    rows = dict(re.findall(r"^\| (\d) \| ([^|]*) \|", PAGE, re.MULTILINE))

    assert rows.keys() == {str(status) for status in range(7)}
    for word, status in EXIT_STATUS.items():
        assert rows[str(status)].startswith(word)


@pytest.mark.parametrize("pipeline", [GATE, GITLAB, JOB], ids=["github", "gitlab", "argo-cd"])
def test_each_pipeline_expects_the_version_it_deployed(pipeline: dict[str, Any]) -> None:
    """A gate that passes on the old release proves nothing."""
    text = scripts(pipeline)

    assert re.search(r"--expect-version\s+\"?\$", text)
    assert re.search(r"--allow-writes\s+\"?(\$TARGET|staging)", text)
    assert "|| true" not in text


def test_github_keeps_the_run_of_a_failed_gate_and_hands_on_the_status() -> None:
    """The failed run is the one that people look at."""
    steps = GATE["jobs"]["gate"]["steps"]
    upload = steps[-1]

    assert upload["if"] == "always()"
    assert upload["with"]["path"] == "reports/runs/*Z-*/"
    assert 'echo "status=$status" >> "$GITHUB_OUTPUT"\nexit $status' in scripts(steps)
    assert "needs.gate.outputs.status == '1'" in RELEASE["jobs"]["rollback"]["if"]


def test_github_gets_inputs_through_the_environment() -> None:
    """An input written into the script itself could run commands."""
    assert "${{" not in "".join(step.get("run", "") for step in GATE["jobs"]["gate"]["steps"])


def test_gitlab_reads_junit_of_a_failed_gate_and_tries_only_inconclusive_again() -> None:
    """A second try of a real failure would only cost time."""
    job = GITLAB["gate-staging"]

    assert job["artifacts"]["when"] == "always"
    assert job["artifacts"]["reports"]["junit"] == "reports/runs/*Z-*/junit.xml"
    assert job["retry"] == {"max": "1", "exit_codes": [str(EXIT_STATUS["INCONCLUSIVE"])]}  # type: ignore[index]
    assert GITLAB["rollback-staging"]["rules"][0]["when"] == "manual"


def test_the_job_is_a_post_sync_hook_that_can_read_and_little_else() -> None:
    """It holds credentials of the environment and runs inside it."""
    pod = JOB["spec"]["template"]["spec"]
    container = pod["containers"][0]

    assert (JOB["apiVersion"], JOB["kind"]) == ("batch/v1", "Job")
    assert JOB["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "PostSync"
    assert pod["restartPolicy"] == "Never"
    assert JOB["spec"]["podFailurePolicy"]["rules"] == [
        {"action": "FailJob", "onExitCodes": {"containerName": container["name"], "operator": "NotIn", "values": ["6"]}}
    ]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": "false",
        "readOnlyRootFilesystem": "true",
        "capabilities": {"drop": ["ALL"]},
    }
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    written = next(text.removeprefix("--reports=") for text in container["args"] if text.startswith("--reports="))
    assert written in {mount["mountPath"] for mount in container["volumeMounts"]}


def test_the_pipelines_set_every_variable_of_the_profile() -> None:
    """A forgotten variable without a default ends the first run of a new pipeline with status 4."""
    profile = Path(__file__).parents[2] / "profiles" / "ingest" / "staging.yaml"
    needed = set(re.findall(r"\$\{([A-Z_]+)\}", profile.read_text(encoding="utf-8")))
    gate = next(step for step in GATE["jobs"]["gate"]["steps"] if step.get("id") == "gate")

    assert needed
    assert needed <= set(gate["env"])
