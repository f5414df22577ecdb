"""
What goes wrong with a canary, and which of the three answers is right.

The answers are for runbook 001's three limits (errors < 1 %, p95 < 2.5 s, parsing failures < 0.5 %), all also compared
with the stable track (more than three times as bad is too bad), and a watch of one minute. `Shares` says what the
counters will show, so that a test can ask the statistics whether that answer is the sure one.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from opsproof.stack.canary.site import CanarySite
from opsproof.stack.canary.traffic import Traffic

Answer = Literal["promote", "rollback", "inconclusive"]
Act = Callable[[CanarySite], None]

USUAL = Traffic()
QUIET = Traffic(per_second=5.0, weight=0.1)
"""The runbook's tenth of the traffic; 30 requests a minute for the canary."""
BUSY = Traffic(per_second=150.0, weight=0.8)
"""7,200 requests a minute for the canary."""
WATCH_SECONDS = 60.0

_SETTLE_SECONDS = 2.0
_SLOW_SECONDS = 3.0


@dataclass(frozen=True)
class Step:
    """
    Something that happens during the watch.

    Attributes:
        at: When, as a share of the watch.
        act: What.
    """

    at: float
    act: Act


@dataclass(frozen=True)
class Shares:
    """
    What the counters of the whole window show, from 0 to 1.

    Attributes:
        errors: Of the canary's requests, answered with 5xx.
        slow: Of them, slower than 2.5 s.
        parsing: Of the canary's calls of the language model, not parsed.
        baseline_errors: Of the stable track's requests.
        lost: Of the window, without requests because the canary restarts.
        unusable: Why the numbers, whatever they are, tell nothing of the canary; "" if they do.
    """

    errors: float = 0.0
    slow: float = 0.0
    parsing: float = 0.0
    baseline_errors: float = 0.0
    lost: float = 0.0
    unusable: str = ""


@dataclass(frozen=True)
class CanaryFault:
    """
    One fault.

    Attributes:
        name: For the command line.
        title: What goes wrong, by language.
        expected: The right answer.
        why: Why it is, by language.
        shares: What the counters show.
        traffic: What users send.
        before: What is done before the watch, with its self-check, begins.
        steps: What happens during the watch, in order.
    """

    name: str
    title: dict[str, str]
    expected: Answer
    why: dict[str, str]
    shares: Shares = Shares()
    traffic: Traffic = USUAL
    before: Act | None = None
    steps: tuple[Step, ...] = ()

    def inject(self, site: CanarySite) -> None:
        """Do what comes before the watch, and wait until it has settled: slow answers are under way as ever."""
        changed = site.traffic != self.traffic or self.before is not None
        site.send(self.traffic)
        if self.before is not None:
            self.before(site)
        if changed:
            time.sleep(_SETTLE_SECONDS + (_SLOW_SECONDS if self.shares.slow else 0.0))

    @contextmanager
    def played(self, site: CanarySite, seconds: float = WATCH_SECONDS) -> Iterator[None]:
        """
        Take the steps while the block runs, the first at once.

        Args:
            site: Where.
            seconds: How long the watch takes; steps that the block does not last for are left out.

        Raises:
            Exception: What a step raised, at the end of the block.
        """
        over = threading.Event()
        raised: list[Exception] = []

        def play() -> None:
            begun = time.monotonic()
            for step in self.steps:
                if over.wait(max(0.0, begun + step.at * seconds - time.monotonic())):
                    return
                try:
                    step.act(site)
                except Exception as error:  # noqa: BLE001  # told to whoever waits for the block
                    raised.append(error)
                    return

        player = threading.Thread(target=play, name=f"fault {self.name}")
        player.start()
        try:
            yield
        finally:
            over.set()
            player.join()
        if raised:
            raise raised[0]

    def heal(self, site: CanarySite) -> None:
        """Undo it, and wait for slow answers under way. Raises StackError when the site does not come back."""
        site.restore()
        if self.shares.slow:
            time.sleep(_SLOW_SECONDS)


def _errors(share: float) -> Act:
    return lambda site: site.fail("canary", share)


def _slow(share: float) -> Act:
    return lambda site: site.slow("canary", share, _SLOW_SECONDS)


def _garbled(share: float) -> Act:
    return lambda site: site.garble("canary", share)


def _no_canary(site: CanarySite) -> None:
    site.send(site.traffic.without_canary())


def _only_cached(site: CanarySite) -> None:
    """The stable track fills the cache; the canary's own model answers nonsense, which nobody notices."""
    _no_canary(site)
    site.refill_cache()
    site.garble("canary", 1.0)
    site.send(Traffic(mix="cached"))


def _both_sick(site: CanarySite) -> None:
    site.fail("stable", 0.05)
    site.fail("canary", 0.05)


def _misnamed(site: CanarySite) -> None:
    site.rename_metric("canary", "http_requests_total", "http_request_total")


def _labelled(**tracks: str) -> Act:
    def act(site: CanarySite) -> None:
        site.fail("canary", 0.05)
        site.label(**tracks)

    return act


_SURE = {
    "en": "more than the limit beyond doubt with 1,500 requests",
    "ko": "요청 1,500건이면 한도를 넘은 것이 확실합니다",
}
_FEW = {
    "en": "30 requests decide nothing: 299 without an error are needed to promote",
    "ko": "요청 30건으로는 판정할 수 없습니다. 승격하려면 오류 없는 요청 299건이 필요합니다",
}
_FINE = {
    "en": "the canary is as good as all limits demand",
    "ko": "카나리가 모든 한도를 만족합니다",
}
_BOTH = {
    "en": "the canary's numbers cannot be told from the stable track's",
    "ko": "카나리와 안정 버전의 수치를 구분할 수 없습니다",
}


def _by_errors(percent: int, *, few: bool) -> CanaryFault:
    sure = not few or percent >= 50
    return CanaryFault(
        f"errors-{percent}{'-few' if few else ''}",
        {
            "en": f"{percent} % of the canary's answers are errors{', with 30 requests a minute' if few else ''}",
            "ko": f"카나리 응답의 {percent} %가 오류{' (분당 요청 30건)' if few else ''}",
        },
        "rollback" if sure else "inconclusive",
        (_SURE if not few else {"en": "half of 30 is enough", "ko": "30건의 절반이면 확실합니다"}) if sure else _FEW,
        Shares(errors=percent / 100),
        QUIET if few else USUAL,
        before=_errors(percent / 100),
    )


FAULTS: tuple[CanaryFault, ...] = (
    CanaryFault("none", {"en": "a healthy canary", "ko": "정상 카나리"}, "promote", _FINE),
    *(_by_errors(percent, few=False) for percent in (2, 3, 5)),
    *(_by_errors(percent, few=True) for percent in (2, 3, 5, 50)),
    CanaryFault(
        "no-traffic",
        {"en": "the canary is fine, and nobody asks it", "ko": "카나리는 정상이지만 트래픽이 없음"},
        "inconclusive",
        {"en": "nothing was measured", "ko": "측정된 것이 없습니다"},
        Shares(unusable="empty"),
        before=_no_canary,
    ),
    CanaryFault(
        "cached-only",
        {"en": "the canary answers from the cache only", "ko": "카나리가 캐시로만 응답함"},
        "inconclusive",
        {"en": "its language model was never called", "ko": "LLM이 한 번도 호출되지 않았습니다"},
        Shares(unusable="empty"),
        before=_only_cached,
    ),
    CanaryFault(
        "errors-born-late",
        {"en": "no error until the middle, then a burst", "ko": "중간까지 오류가 없다가 한꺼번에 발생"},
        "rollback",
        {
            "en": "50 of 1,500 failed, though a rate of the new series hides the first of them",
            "ko": "1,500건 중 50건이 실패했습니다. 새 시계열의 rate는 첫 오류들을 숨깁니다",
        },
        Shares(errors=0.033),
        steps=(Step(0.5, _errors(1.0)), Step(0.533, _errors(0.0))),
    ),
    CanaryFault(
        "errors-first",
        {"en": "errors only in the first minute of twenty", "ko": "20분 중 첫 1분에만 오류"},
        "rollback",
        {"en": "75 of 1,500 did fail", "ko": "1,500건 중 75건이 실제로 실패했습니다"},
        Shares(errors=0.05),
        steps=(Step(0.0, _errors(1.0)), Step(0.05, _errors(0.0))),
    ),
    CanaryFault(
        "slow-6",
        {"en": "6 % of the requests take 3 s", "ko": "요청의 6 %가 3초 걸림"},
        "rollback",
        {
            "en": "90 of 1,500 took 3 s, and none of the stable track's 3,000",
            "ko": "1,500건 중 90건이 3초 걸렸고, 안정 버전은 3,000건 중 하나도 없었습니다",
        },
        Shares(slow=0.06),
        before=_slow(0.06),
    ),
    CanaryFault(
        "slow-6-busy",
        {"en": "6 % of 7,200 requests take 3 s", "ko": "요청 7,200건의 6 %가 3초 걸림"},
        "rollback",
        {"en": "with 7,200 requests 6 % are more than 5 %", "ko": "요청 7,200건이면 6 %가 5 %보다 확실히 큽니다"},
        Shares(slow=0.06),
        BUSY,
        before=_slow(0.06),
    ),
    CanaryFault(
        "slow-10",
        {"en": "10 % of the requests take 3 s", "ko": "요청의 10 %가 3초 걸림"},
        "rollback",
        _SURE,
        Shares(slow=0.10),
        before=_slow(0.10),
    ),
    CanaryFault(
        "parsing-0.6",
        {"en": "0.6 % of the model's answers cannot be parsed", "ko": "LLM 응답의 0.6 %를 파싱할 수 없음"},
        "inconclusive",
        {
            "en": "0.6 % cannot be told from 0.5 % with 1,200 calls",
            "ko": "호출 1,200건으로는 0.6 %와 0.5 %를 구분할 수 없습니다",
        },
        Shares(parsing=0.006),
        before=_garbled(0.006),
    ),
    CanaryFault(
        "parsing-3",
        {"en": "3 % of the model's answers cannot be parsed", "ko": "LLM 응답의 3 %를 파싱할 수 없음"},
        "rollback",
        {"en": "more than the limit beyond doubt", "ko": "한도를 넘은 것이 확실합니다"},
        Shares(parsing=0.03),
        before=_garbled(0.03),
    ),
    CanaryFault(
        "metric-misnamed",
        {"en": "the canary calls its request counter otherwise", "ko": "카나리의 요청 카운터 이름이 다름"},
        "inconclusive",
        {"en": "there is no counter of that name", "ko": "그 이름의 카운터가 없습니다"},
        Shares(unusable="empty"),
        before=_misnamed,
    ),
    CanaryFault(
        "labels-canary",
        {"en": "stable pods are labelled as the canary, too", "ko": "안정 버전 파드도 카나리 레이블을 가짐"},
        "inconclusive",
        _BOTH,
        Shares(unusable="both tracks"),
        before=_labelled(stable="canary"),
    ),
    CanaryFault(
        "labels-stable",
        {"en": "the canary is labelled as stable", "ko": "카나리가 stable 레이블을 가짐"},
        "inconclusive",
        _BOTH,
        Shares(unusable="empty"),
        before=_labelled(canary="stable"),
    ),
    CanaryFault(
        "labels-none",
        {"en": "no pod has the label of its track", "ko": "track 레이블이 있는 파드가 없음"},
        "inconclusive",
        _BOTH,
        Shares(unusable="empty"),
        before=_labelled(canary="", stable=""),
    ),
    CanaryFault(
        "prometheus-restarted",
        {"en": "Prometheus is restarted in the middle", "ko": "중간에 Prometheus가 재시작됨"},
        "promote",
        {"en": "counters lose nothing by a hole", "ko": "카운터는 공백이 있어도 잃는 것이 없습니다"},
        steps=(Step(0.5, CanarySite.restart_prometheus),),
    ),
    CanaryFault(
        "prometheus-restarted-errors",
        {"en": "Prometheus is restarted, 3 % are errors", "ko": "오류 3 %, 중간에 Prometheus가 재시작됨"},
        "rollback",
        _SURE,
        Shares(errors=0.03),
        before=_errors(0.03),
        steps=(Step(0.5, CanarySite.restart_prometheus),),
    ),
    CanaryFault(
        "target-down",
        {"en": "the canary's metrics are refused from the middle on", "ko": "중간부터 카나리의 메트릭이 거부됨"},
        "inconclusive",
        {"en": "nobody knows how the second half went", "ko": "후반부가 어땠는지 알 수 없습니다"},
        Shares(unusable="stale"),
        steps=(Step(0.5, lambda site: site.close_exporter("canary")),),
    ),
    CanaryFault(
        "baseline-sick",
        {"en": "5 % of the answers of both tracks are errors", "ko": "양쪽 모두 응답의 5 %가 오류"},
        "inconclusive",
        {"en": "the canary may not be to blame", "ko": "카나리의 탓이 아닐 수 있습니다"},
        Shares(errors=0.05, baseline_errors=0.05),
        before=_both_sick,
    ),
    CanaryFault(
        "canary-restarted",
        {"en": "the canary's process is restarted", "ko": "카나리 프로세스가 재시작됨"},
        "promote",
        {"en": "counters that begin again lose nothing", "ko": "다시 시작된 카운터도 잃는 것이 없습니다"},
        Shares(lost=0.08),
        steps=(Step(0.5, CanarySite.restart_canary),),
    ),
    CanaryFault(
        "canary-new-pod",
        {"en": "the canary gets a new pod", "ko": "카나리 파드가 새로 생성됨"},
        "promote",
        {"en": "the new pod's counters are counted from 0", "ko": "새 파드의 카운터는 0부터 셉니다"},
        Shares(lost=0.08),
        steps=(Step(0.5, lambda site: site.restart_canary(new_pod=True)),),
    ),
    CanaryFault(
        "canary-restarted-errors",
        {"en": "the canary is restarted, 3 % are errors", "ko": "오류 3 %, 카나리가 재시작됨"},
        "rollback",
        _SURE,
        Shares(errors=0.03, lost=0.08),
        before=_errors(0.03),
        steps=(Step(0.5, CanarySite.restart_canary),),
    ),
    CanaryFault(
        "traffic-stops",
        {"en": "the canary's traffic stops half-way", "ko": "중간에 카나리 트래픽이 끊김"},
        "inconclusive",
        {"en": "nothing was measured in the second half", "ko": "후반부에는 측정된 것이 없습니다"},
        Shares(unusable="stale"),
        steps=(Step(0.5, _no_canary),),
    ),
)
