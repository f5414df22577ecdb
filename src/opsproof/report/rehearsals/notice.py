"""What customers are told after a recovery (runbook 001, 5.2 phase 6): only what was measured, lost writes first."""

from collections.abc import Mapping

from opsproof.judge.limits import Lang
from opsproof.rehearsal.facts import Proof, RehearsalFact
from opsproof.report.rehearsals.proving import RPO, RTO, objective_of, proof_of, serves_again
from opsproof.report.rehearsals.words import took

_SAID: Mapping[Lang, Mapping[str, str]] = {
    "ko": {
        "lost": "확인된 쓰기 {lost}건 유실 (남은 쓰기 {ok}건)",
        "to_replay": "잘못된 변경 이후 확인된 쓰기 {n}건은 복구에서 제외되어 다시 입력해야 함",
        "none_lost": "확인된 쓰기 {ok}건 중 유실 0건",
        "conflicting": "값이 서로 다른 쓰기 {n}건",
        "unanswered": "응답을 받지 못한 쓰기 {n}건은 남지 않음",
        "measured": "측정한 손실 구간 최대 {upper} (하한 {lower}, 측정 단위 {resolution}, RPO 한도 {limit})",
        "over": "RPO 한도 {limit} 초과: 측정한 손실 구간 최대 {upper} (하한 {lower}, 측정 단위 {resolution})",
        "not_proven": "유실 여부가 입증되지 않음: 손실 구간을 측정하지 못함",
        "unknown": "-",
    },
    "en": {
        "lost": "acknowledged writes lost: {lost} ({ok} are there)",
        "to_replay": "acknowledged writes from after the wrong change that are gone, and are to be made again: {n}",
        "none_lost": "acknowledged writes lost: 0 ({ok} are there)",
        "conflicting": "writes with two values: {n}",
        "unanswered": "writes that had no answer and are not there: {n}",
        "measured": "the span of loss as measured is at most {upper} (at least {lower}, resolution {resolution}, "
        "RPO limit {limit})",
        "over": "over the RPO limit of {limit}: the span of loss as measured is at most {upper} (at least {lower}, "
        "resolution {resolution})",
        "not_proven": "whether data was lost is not proven: the span of loss was not measured",
        "unknown": "-",
    },
}


def loss_text(fact: RehearsalFact, lang: Lang) -> str:
    """
    The statement on lost data, from the ledger and the RPO.

    Never that nothing was lost: only how many of the writes that were counted are gone, and in which span.

    Args:
        fact: The rehearsal.
        lang: Language of the notice.
    """
    said, ledger, rpo = _SAID[lang], fact.ledger, objective_of(fact, RPO)
    parts = []
    if ledger and ledger.sent:
        lost = ledger.lost - ledger.to_replay
        parts.append(said["lost" if lost else "none_lost"].format(lost=lost, ok=ledger.ok))
        if ledger.to_replay:
            parts.append(said["to_replay"].format(n=ledger.to_replay))
        if ledger.conflicting:
            parts.append(said["conflicting"].format(n=ledger.conflicting))
        if ledger.indeterminate_absent:
            parts.append(said["unanswered"].format(n=ledger.indeterminate_absent))
    proof = proof_of(fact, rpo) if rpo else Proof.NOT_PROVEN
    if rpo is None or rpo.upper is None or proof is Proof.NOT_PROVEN:
        parts.append(said["not_proven"])
    else:
        numbers = {
            name: said["unknown"] if seconds is None else took(seconds, lang)
            for name, seconds in (("lower", rpo.lower), ("upper", rpo.upper), ("resolution", rpo.resolution))
        }
        key = "over" if proof is Proof.FAILED else "measured"
        parts.append(said[key].format(limit=took(rpo.limit, lang), **numbers))
    return "; ".join(parts)


def says_restored(fact: RehearsalFact) -> bool:
    """True if a notice may say that the service is back; a service that came too late is back all the same."""
    rto = objective_of(fact, RTO)
    return serves_again(fact) and rto is not None and proof_of(fact, rto) is not Proof.NOT_PROVEN
