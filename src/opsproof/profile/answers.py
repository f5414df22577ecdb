"""What people answered to attested checks: the answer, and the file that brings several (`--attest=FILE`)."""

import getpass
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import TypeAdapter, ValidationError

from opsproof.errors import OpsproofError
from opsproof.profile.attested import attested_check
from opsproof.profile.mistakes import Mistake, listed
from opsproof.profile.models import Profile
from opsproof.profile.scalars import Moment, moment_text
from opsproof.profile.targets import Section
from opsproof.profile.text import Words
from opsproof.profile.tree import Node, place_of, plain, shown
from opsproof.profile.wording import mistakes_of, unknown
from opsproof.profile.yaml_source import Unreadable, read_yaml

_ID = re.compile(r"(?:attested\.)?(?P<key>[^\[\]]+)(?:\[(?P<profile>[^\[\]]+)\])?")
_NEXT_STEP = "correct what is listed; `opsproof attest template --profile NAME` prints a file to fill in"


class Answer(Section):
    """
    What one person answered.

    Attributes:
        answer: `later` is no answer yet.
        by: Who.
        at: When, with its zone.
        note: What they saw.
    """

    answer: Literal["yes", "no", "later"]
    by: Words
    at: Moment
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """As evidence keeps it, before redaction."""
        return self.model_dump(mode="json")

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        """As evidence kept it."""
        return cls.model_validate(kept)

    @property
    def words(self) -> str:
        """`no, by kim at 2026-11-20 03:10 +09:00: two pages are open`."""
        said = f"{self.answer}, by {self.by} at {moment_text(self.at)}"
        return f"{said}: {self.note}" if self.note else said


def operator(variables: Mapping[str, str]) -> str:
    """Who is at the terminal: OPSPROOF_OPERATOR, else the login name; "" if neither is known."""
    try:
        return variables.get("OPSPROOF_OPERATOR", "").strip() or getpass.getuser()
    except (OSError, KeyError):
        return ""


def read_answers(
    file: Path, profiles: Mapping[str, Profile], other: Callable[[str], Profile | None]
) -> dict[str, Answer]:
    """
    Read a file of answers.

    Its keys are ids of attested checks, `attested.KEY[SYSTEM/ENVIRONMENT]`; KEY alone will do where one profile of the
    run has it. Answers for a profile that is not of this run are checked and left out.

    Args:
        file: The file.
        profiles: Those of the run, by name.
        other: Gives another profile by its name; None if there is none of that name.

    Returns:
        Answers by id of the check.

    Raises:
        OpsproofError: The file cannot be read, or something in it is wrong; all mistakes are listed.
    """
    answers: dict[str, Answer] = {}
    try:
        tree, mistakes = read_yaml(file)
    except Unreadable as exc:
        raise _error(file, exc.mistakes) from None
    try:
        given = TypeAdapter(dict[str, Answer]).validate_python(plain(tree, {}))
    except ValidationError as exc:
        given = {}
        # A key without a value was named while the file was read.
        told = {mistake.loc for mistake in mistakes}
        mistakes += [one for one in mistakes_of(exc, tree, dict[str, Answer]) if one.loc not in told]
    for key in tree.keys:
        profile, check, wrong = _meant(key, profiles, other)
        if wrong or check in answers:
            mistakes.append(_at(tree, key, wrong or f"answers {check} a second time"))
        elif profile in profiles and key in given:
            answers[check] = given[key]
    if mistakes:
        raise _error(file, mistakes)
    return answers


def _meant(key: str, profiles: Mapping[str, Profile], other: Callable[[str], Profile | None]) -> tuple[str, str, str]:
    """Profile and check that a key of the file means, or what is wrong with it."""
    match = _ID.fullmatch(key)
    entry, named = (match["key"], match["profile"]) if match else (key, None)
    if named is None:
        having = [name for name, profile in profiles.items() if entry in profile.attested]
        if len(having) == 1:
            return having[0], _check(having[0], entry), ""
        known = [check for name, profile in profiles.items() for check in _checks(name, profile)]
        if having:
            return "", "", unknown(key, "several profiles of this run have it", "write one of", _only(entry, known))
        short = dict.fromkeys(entry for profile in profiles.values() for entry in profile.attested)
        return "", "", unknown(entry, "no attested check has this id", "the attested checks are", list(short))
    profile = profiles.get(named) or other(named)
    if profile is None:
        return "", "", unknown(named, "no profile has this name", "the profiles of this run are", list(profiles))
    if entry not in profile.attested:
        known = list(_checks(named, profile))
        return "", "", unknown(_check(named, entry), "no attested check has this id", "there are", known)
    return named, _check(named, entry), ""


def _check(profile: str, entry: str) -> str:
    return f"{attested_check(entry)}[{profile}]"


def _checks(name: str, profile: Profile) -> Iterator[str]:
    return (_check(name, entry) for entry in profile.attested)


def _only(entry: str, checks: Iterable[str]) -> list[str]:
    return [check for check in checks if check.startswith(f"{attested_check(entry)}[")]


def _at(tree: Node, key: str, text: str) -> Mistake:
    return Mistake(place_of(tree, (key,)), (key,), text)


def _error(file: Path, mistakes: Iterable[Mistake]) -> OpsproofError:
    return OpsproofError(
        f"the answers for attested checks are not valid, {listed(mistakes)}",
        where=str(shown(file)),
        next_step=_NEXT_STEP,
    )
