"""
docs/integrations: what people apply to a cluster, held against a real `opsproof canary serve`.

There is no cluster here. What Argo Rollouts and Flagger do with an answer is modelled from their sources (Argo's
webmetric.go, evaluate.go and analysis.go, Flagger's scheduler.go and webhook.go).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from canary_builders import a_canary_with_little_traffic, a_healthy_canary, a_refused_canary, a_sick_canary
from verdict_server import PROFILE, Build, Served, serving

from opsproof.cli import _parser
from opsproof.plugin.options import HELP

FOLDER = Path(__file__).parents[2] / "docs" / "integrations"
FILES = sorted(FOLDER.rglob("*.yaml"))
KUBERNETES = "1.32"
"""A version that is still kept; its schemas know every key."""
OF_KUBERNETES = {"v1", "apps", "batch", "networking.k8s.io"}
SERVICE = "http://opsproof-verdicts.production.svc:8080"
VERSION = "2.1.0"
"""What the invented runs have watched."""

ANSWERS = [
    (a_healthy_canary, "promote"),
    (a_sick_canary, "rollback"),
    (a_canary_with_little_traffic, "inconclusive"),
    (a_refused_canary, "inconclusive"),
    (None, "missing"),
]


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))


def metrics(name: str) -> dict[str, dict[str, Any]]:
    (template,) = documents(name)
    return {metric["name"]: metric for metric in template["spec"]["metrics"]}


def pods(node: Any) -> Iterator[dict[str, Any]]:
    """Every pod of a document."""
    if isinstance(node, dict):
        if "containers" in node:
            yield node
        for value in node.values():
            yield from pods(value)
    elif isinstance(node, list):
        for value in node:
            yield from pods(value)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as server:
        yield server


def filled(text: str) -> str:
    return text.replace("{{args.profile}}", PROFILE).replace("{{args.version}}", VERSION)


def measured(metric: dict[str, Any], served: Served) -> str:
    """A measurement of Argo's web metric: an error where the answer is none of 2xx, else by both conditions."""
    web = metric["provider"]["web"]
    told = served.client.get(filled(web["url"]).removeprefix(SERVICE))
    if not 200 <= told.status_code < 300:
        return "Error"
    (key,) = re.fullmatch(r"\{\$\.(\w+)\}", web["jsonPath"]).groups()  # type: ignore[union-attr]
    return phase(metric, told.json()[key])


def phase(metric: dict[str, Any], result: Any) -> str:
    success, failure = (
        eval(metric[name], {"__builtins__": {}}, {"result": result})
        for name in ("successCondition", "failureCondition")
    )
    return "Failed" if failure else "Successful" if success else "Inconclusive"


def analysed(metric: dict[str, Any], measurements: list[str]) -> str:
    """What an analysis run of one metric comes to."""
    errors = 0
    for one in measurements:
        errors = errors + 1 if one == "Error" else 0
        if errors > metric.get("consecutiveErrorLimit", 4):
            return "Error"
        if one == "Failed" and metric.get("failureLimit", 0) < 1:
            return "Failed"
        if one == "Inconclusive" and metric.get("inconclusiveLimit", 0) < 1:
            return "Inconclusive"
        if one == "Successful":
            return "Successful"
    return "Running"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_file_is_a_document_of_a_cluster(path: Path) -> None:
    for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
        assert {"apiVersion", "kind", "metadata", "spec"} == set(document)
        if document["apiVersion"].partition("/")[0] in OF_KUBERNETES:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        name = document["metadata"].get("name") or document["metadata"]["generateName"]
        assert re.fullmatch(r"[a-z][a-z0-9-]*", name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_pods_of_opsproof_may_read_and_little_else(path: Path) -> None:
    """They hold credentials of production."""
    found = [pod for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) for pod in pods(document)]
    for pod in found:
        (container,) = pod["containers"]
        if "/ops/opsproof:" not in container["image"]:
            continue
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
        written = next(word.partition("=")[2] for word in container["args"] if word.startswith("--reports="))
        assert written in {mount["mountPath"] for mount in container["volumeMounts"]}


WATCHES = ["argo-rollouts/analysis-job.yaml", "argo-rollouts/analysis-verdict.yaml", "flagger/watch-job.yaml"]


@pytest.mark.parametrize("name", WATCHES)
def test_every_watch_is_watched_once_to_its_end(name: str) -> None:
    """A pod that is restarted until it is green is no watch; the job may last as long as the runbook's 20 minutes."""
    (document,) = documents(name)
    spec = document["spec"]
    if document["kind"] == "AnalysisTemplate":
        (spec,) = (one["provider"]["job"]["spec"] for one in spec["metrics"] if "job" in one["provider"])
    (container,) = spec["template"]["spec"]["containers"]
    args = container["args"]

    assert spec["backoffLimit"] == 0
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["activeDeadlineSeconds"] > 20 * 60 + 60
    assert args[args.index("-m") + 1] == "canary_criteria"
    assert {word.partition("=")[0][2:] for word in args if word.startswith("--")} <= set(HELP)
    assert "NEW_VERSION" in {one["name"] for one in container["env"]}


def test_both_templates_of_argo_watch_alike() -> None:
    (first,) = metrics("argo-rollouts/analysis-job.yaml").values()
    second = metrics("argo-rollouts/analysis-verdict.yaml")["watch"]

    assert first["provider"] == second["provider"]


def test_a_job_that_decides_is_no_success_unless_it_is_0() -> None:
    """Argo takes a completed job for a success and every other end for a failure: 6 may not be made 0 on the way."""
    (metric,) = metrics("argo-rollouts/analysis-job.yaml").values()
    job = metric["provider"]["job"]["spec"]
    (container,) = job["template"]["spec"]["containers"]

    assert (metric["count"], metric["failureLimit"], job["backoffLimit"]) == (1, 0, 0)
    assert "podFailurePolicy" not in job
    assert "successPolicy" not in job
    assert "command" not in container  # no shell around it that could swallow the status


def test_the_job_beside_a_verdict_decides_nothing() -> None:
    (template,) = documents("argo-rollouts/analysis-verdict.yaml")

    assert template["spec"]["dryRun"] == [{"metricName": "watch"}]
    assert set(metrics("argo-rollouts/analysis-verdict.yaml")) == {"verdict", "watch"}


@pytest.mark.parametrize(("build", "answer"), ANSWERS)
def test_argo_promotes_for_promote_alone_and_pauses_for_what_is_not_known(
    served: Served, build: Build | None, answer: str
) -> None:
    metric = metrics("argo-rollouts/analysis-verdict.yaml")["verdict"]
    if build:
        served.run(build)

    came = measured(metric, served)

    wanted = {"promote": "Successful", "rollback": "Failed", "inconclusive": "Inconclusive", "missing": "Error"}
    assert came == wanted[answer]
    assert analysed(metric, [came]) == (wanted[answer] if build else "Running")


def test_argo_waits_for_a_verdict_longer_than_a_watch_lasts_and_never_takes_none_for_a_success(served: Served) -> None:
    metric = metrics("argo-rollouts/analysis-verdict.yaml")["verdict"]
    none = measured(metric, served)
    limit = metric["consecutiveErrorLimit"]

    assert metric["interval"] == "30s"
    assert 30 * limit > 1800
    assert analysed(metric, [none] * limit) == "Running"
    assert analysed(metric, [none] * (limit + 1)) == "Error"
    served.run(a_healthy_canary)
    assert analysed(metric, [none] * limit + [measured(metric, served)]) == "Successful"


@pytest.mark.parametrize(
    "result", ["", "PROMOTE", "promote ", "promoted", "inconclusive", "NaN", float("nan"), None, 0, 0.0, True, [], {}]
)
def test_what_argo_does_not_know_is_inconclusive(result: Any) -> None:
    """Argo with one condition alone takes NaN, and whatever else is false, for the other end."""
    assert phase(metrics("argo-rollouts/analysis-verdict.yaml")["verdict"], result) == "Inconclusive"


def test_argo_asks_for_the_version_that_it_rolls_out(served: Served) -> None:
    """The verdict on the release before is as good as none."""
    served.run(lambda **changes: a_healthy_canary(**changes, versions={"canary": "2.0.4"}))

    assert measured(metrics("argo-rollouts/analysis-verdict.yaml")["verdict"], served) == "Error"


def test_the_rollout_is_analysed_in_a_step_of_its_own_at_ten_percent() -> None:
    """What runs in the background is ended as a success when the steps are over."""
    (rollout,) = documents("argo-rollouts/rollout.yaml")
    canary = rollout["spec"]["strategy"]["canary"]
    first, second, third = canary["steps"]
    (template,) = documents("argo-rollouts/analysis-verdict.yaml")
    args = {one["name"]: one["value"] for one in second["analysis"]["args"]}

    assert "analysis" not in canary
    assert (first, third) == ({"setWeight": 10}, {"setWeight": 100})
    assert second["analysis"]["templates"] == [{"templateName": template["metadata"]["name"]}]
    assert set(args) == {one["name"] for one in template["spec"]["args"]}
    assert rollout["spec"]["template"]["metadata"]["labels"]["version"] == args["version"]
    assert rollout["spec"]["template"]["spec"]["containers"][0]["image"].endswith(f":{args['version']}")


def hooks() -> dict[str, dict[str, Any]]:
    (canary,) = documents("flagger/canary.yaml")
    return {hook["type"]: hook for hook in canary["spec"]["analysis"]["webhooks"]}


def opened(hook: dict[str, Any], served: Served, version: str = VERSION) -> bool:
    """Whether Flagger takes the answer for a yes: no status above 202."""
    assert hook["url"] == f"{SERVICE}/gate"
    told = served.client.post("/gate", json={"name": "x", "metadata": hook["metadata"] | {"version": version}})
    return told.status_code <= 202


@pytest.mark.parametrize(("build", "answer"), ANSWERS)
def test_flagger_promotes_for_promote_and_rolls_back_for_rollback(
    served: Served, build: Build | None, answer: str
) -> None:
    if build:
        served.run(build)
    promote, back = hooks()["confirm-promotion"], hooks()["rollback"]

    assert opened(promote, served) is (answer == "promote")
    assert opened(back, served) is (answer == "rollback")
    assert not opened(promote, served, "9.9.9")
    assert not opened(back, served, "9.9.9")


def test_flagger_counts_no_failed_check_while_nothing_is_known() -> None:
    """A hook of type `rollout` that is closed rolls back after `threshold` of them."""
    (canary,) = documents("flagger/canary.yaml")
    analysis = canary["spec"]["analysis"]

    assert set(hooks()) == {"confirm-promotion", "rollback"}
    assert analysis["metrics"] == []
    assert analysis["stepWeight"] == analysis["maxWeight"] == 10
    assert all(isinstance(value, str) for hook in hooks().values() for value in hook["metadata"].values())


def test_the_server_is_begun_with_options_that_exist_and_reached_by_deployers_alone() -> None:
    deployment, service, policy = documents("serve.yaml")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    options = _parser().parse_args(container["args"])
    place = f"http://{service['metadata']['name']}.{service['metadata']['namespace']}.svc"

    assert (options.host, options.port, str(options.reports)) == ("0.0.0.0", 8080, "/reports")
    assert f"{place}:{service['spec']['ports'][0]['port']}" == SERVICE
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == labels == policy["spec"]["podSelector"]["matchLabels"]
    assert policy["spec"]["ingress"][0]["from"]
    assert all(mount["readOnly"] for mount in container["volumeMounts"])
    assert {one["metadata"]["namespace"] for one in (deployment, service, policy)} == {"production"}


@pytest.mark.parametrize("name", ["argo-rollouts", "flagger", "helm"])
def test_each_page_names_its_files_and_says_what_was_not_tried(name: str) -> None:
    page = (FOLDER / f"{name}.md").read_text(encoding="utf-8")

    assert "## Not tried" in page
    for path in (FOLDER / name).iterdir():
        assert f"({name}/{path.name})" in page
    assert f"({name}.md)" in (FOLDER / "README.md").read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page):
        assert (FOLDER / link).exists(), link


def test_a_benchmark_in_a_cluster_has_one_plan() -> None:
    """Workers that the master does not expect, or another profile than its, would be another benchmark."""
    service, master, workers = documents("locust/benchmark.yaml")
    (conducting,), (sending,) = (one["spec"]["template"]["spec"]["containers"] for one in (master, workers))
    arguments = [
        dict(word.removeprefix("--").partition("=")[::2] for word in one["args"]) for one in (conducting, sending)
    ]

    assert {"master", "headless"} <= set(arguments[0])
    assert "worker" in arguments[1]
    assert len({(one["profile"], one["locustfile"]) for one in arguments}) == 1
    assert int(arguments[0]["expect-workers"]) == workers["spec"]["parallelism"] == workers["spec"]["completions"]
    assert arguments[1]["master-host"] == service["metadata"]["name"]
    assert service["spec"]["selector"] == master["spec"]["template"]["metadata"]["labels"]
    assert (conducting["env"], conducting["envFrom"]) == (sending["env"], sending["envFrom"])
    assert "cpu" not in sending["resources"]["limits"]
