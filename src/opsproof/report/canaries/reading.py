"""What a look at a criterion says, in numbers for people."""

import math

from opsproof.canary.facts import CriterionFact, Data, LookFact
from opsproof.judge.canary.rules import Answer
from opsproof.judge.canary.words import share_text
from opsproof.judge.limits import Lang
from opsproof.report.canaries.words import STATES, words
from opsproof.report.text import one_line


def finite(number: float | None) -> float | None:
    """The number, if it is one that can be shown and drawn."""
    return number if number is not None and math.isfinite(number) else None


def in_unit(number: float, unit: str) -> str:
    """A number in its unit, with three digits: `1.92 s`, `12,400 req/s`; with `%` it is a share."""
    if unit == "%":
        return share_text(number)
    text = f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.3g}"
    return one_line(f"{text} {unit}")


def is_share(criterion: CriterionFact) -> bool:
    """True if a share is judged: of failures, of slow requests, of samples beyond the limit; else numbers in a unit."""
    return criterion.form != "number" or criterion.share is not None


def estimates(criterion: CriterionFact, look: LookFact) -> tuple[float | None, float | None]:
    """What was seen of the canary and of the baseline: shares where a share is judged, else medians in their unit."""
    if is_share(criterion):
        return finite(look.estimate), finite(look.baseline_estimate)
    canary, baseline = finite(look.value), finite(look.baseline_value)
    if look.compared is not None:
        canary = finite(look.compared.canary) if canary is None else canary
        baseline = finite(look.compared.baseline) if baseline is None else baseline
    return canary, baseline


def bounds(criterion: CriterionFact, look: LookFact) -> tuple[float, float] | None:
    """Between which bounds the share is; None if they are not known, or no share is judged."""
    lower, upper = finite(look.lower), finite(look.upper)
    return (lower, upper) if lower is not None and upper is not None and is_share(criterion) else None


def number_text(criterion: CriterionFact, number: float | None) -> str:
    """What was seen, as a share or in its unit; `?` if it is not known."""
    if number is None:
        return "?"
    return share_text(number) if is_share(criterion) else in_unit(number, criterion.unit)


def bounds_text(criterion: CriterionFact, look: LookFact) -> str:
    """Both bounds: `0.04 % .. 0.49 %`; empty if they are not known."""
    both = bounds(criterion, look)
    return " .. ".join(map(share_text, both)) if both else ""


def quantile_name(criterion: CriterionFact, lang: Lang) -> str:
    """What a limit in a unit is for: `p95`, `median`."""
    share = 0.5 if criterion.share is None else criterion.share
    percent = 100 * (share if criterion.floor else 1 - share)
    return words(lang)["median"] if abs(percent - 50) < 1e-9 else f"p{percent:.6g}"


def value_text(criterion: CriterionFact, look: LookFact, lang: Lang) -> str:
    """The quantile that the limit is for, as seen: `p95 1.92 s`; empty where none belongs to it."""
    value = finite(look.value)
    if criterion.form == "share" or not is_share(criterion) or value is None:
        return ""
    return f"{quantile_name(criterion, lang)} {in_unit(value, criterion.unit)}"


def limit_text(criterion: CriterionFact, lang: Lang) -> str:
    """The limit: `< 1 %`, `p95 < 2.5 s`; empty without one."""
    if criterion.form == "share" and criterion.share is not None:
        return f"< {share_text(criterion.share)}"
    if criterion.limit is None:
        return ""
    sign = ">" if criterion.floor else "<"
    return f"{quantile_name(criterion, lang)} {sign} {in_unit(criterion.limit, criterion.unit)}"


def demand_text(criterion: CriterionFact, lang: Lang) -> str:
    """The limit, and what is allowed beside the baseline."""
    said, limit = words(lang), limit_text(criterion, lang)
    allowed = said["tolerance"].format(tolerance=criterion.tolerance) if criterion.tolerance else ""
    return "; ".join(part for part in (limit, allowed) if part)


def meaning(criterion: CriterionFact, lang: Lang) -> str:
    """What the number is: `share slower than 2.5 s`."""
    said = words(lang)
    if criterion.form == "share":
        return said["failed"]
    if criterion.limit is None:
        return f"{quantile_name(criterion, lang)} ({criterion.unit})" if criterion.unit else said["median"]
    key = "short" if criterion.floor else "slower" if criterion.form == "quantile" else "beyond"
    return said[key].format(limit=in_unit(criterion.limit, criterion.unit))


def amount(criterion: CriterionFact, data: Data) -> float:
    """How many requests or samples there are."""
    if criterion.form == "number":
        return float(len(data.samples))
    total = data.total if criterion.form == "share" else data.counts[-1] if data.counts else 0.0
    return finite(total) or 0.0


def missing_text(criterion: CriterionFact, look: LookFact, lang: Lang) -> str:
    """What an inconclusive criterion lacks, requests or data; empty if nobody knows, or it is not inconclusive."""
    said = words(lang)
    if look.answer is not Answer.INCONCLUSIVE:
        return ""
    if look.more_needed:
        key = "more_samples" if criterion.form == "number" else "more"
        return said[key].format(n=f"{look.more_needed:,}")
    return trouble_text(look, lang)


def trouble_text(look: LookFact, lang: Lang) -> str:
    """What is wrong with the data of a look, of the canary first; empty if nothing is."""
    good = ("ok", "violation")
    if look.canary.state not in good:
        return _trouble(look.canary, lang)
    if look.baseline is not None and look.baseline.state not in good:
        return words(lang)["of_baseline"].format(what=_trouble(look.baseline, lang))
    return "" if look.state in good else STATES[lang][look.state]


def _trouble(data: Data, lang: Lang) -> str:
    return f"{STATES[lang][data.state]}: {data.why}" if data.why else STATES[lang][data.state]


def name_of(criterion: CriterionFact, lang: Lang) -> str:
    """What the profile calls a criterion."""
    return criterion.title.get(lang) or criterion.name
