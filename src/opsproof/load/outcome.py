"""What came of a Locust run: the judged benchmark, its files, and what the operator reads."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import opsproof
from opsproof.benchmark.facts import BenchmarkFact, PlanFact
from opsproof.benchmark.files import LOCUSTS_OWN
from opsproof.benchmark.judged import judged
from opsproof.judge.limits import Lang
from opsproof.judge.verdict import EXIT_STATUS, Word
from opsproof.load.collector import Collector
from opsproof.load.plan import LoadPlan
from opsproof.report.benchmarks.block import text_block
from opsproof.report.benchmarks.parts import write_benchmark
from opsproof.report.cleaning import clean_benchmark


class Outcome:
    """
    A Locust run that is over.

    Args:
        plan: What it was to do.
        collector: What was told of it.
        planned: How much was planned.
        started: When it began.
        missing: Workers that were planned and never came.
    """

    def __init__(
        self, plan: LoadPlan, collector: Collector, planned: PlanFact, *, started: datetime, missing: int
    ) -> None:
        measured = BenchmarkFact(
            profile=plan.profile.name,
            answer=Word.INCONCLUSIVE,
            exit_status=EXIT_STATUS[Word.INCONCLUSIVE],
            reasons=(),
            gates=(),
            started=started,
            ended=datetime.now(UTC),
            ending=collector.why_ended(),
            plan=planned,
            host=plan.target.address,
            environment=_environment(),
            opsproof=opsproof.__version__,
            workers=collector.workers(),
            missing_workers=missing,
            requests=collector.requests(),
            seconds=collector.seconds(),
        )
        self._redactor = plan.redactor
        self.fact = clean_benchmark(judged(measured, plan.load, plan.earlier), plan.redactor)

    def tell(self, folder: Path, lang: Lang, page: str) -> None:
        """
        Write the files and print the result.

        Args:
            folder: Where results go; one folder each.
            lang: The operator's language.
            page: Locust's own report; "" if it has none.
        """
        fact = self.fact
        name = f"{fact.started:%Y%m%dT%H%M%SZ}-{fact.profile.replace('/', '-')}"
        written = write_benchmark(folder / name, fact, lang)
        if page:
            (folder / name / LOCUSTS_OWN).write_text(self._redactor.text(page), encoding="utf-8")
        print(text_block(fact, lang, colour=sys.stdout.isatty()), f"\n  {written}", sep="", flush=True)  # noqa: T201


def _environment() -> dict[str, str]:
    """Of the generator: what a later comparison must know."""
    return {
        "cores": str(os.cpu_count() or 0),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "locust": version("locust"),
    }
