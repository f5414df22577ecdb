"""
What opsproof raises on purpose, and what each class means to the operator.

* OpsproofError
  + ProfileError            the profile is wrong; nothing was contacted
  + StackError              the embedded stack could not do what was asked
    - FaultNotInForce       the fault never took hold; the run proves nothing
    - FaultNotHealed        the stack is still broken; act now
  + Refused                 opsproof's own safety rule forbids the question; nothing was sent
  + NotObserved             we could not look; this says nothing about health
    - Unreachable           no connection could be made
    - TimedOut              connected, but no whole answer within the limit
    - BadAnswer             an answer came, but it is not of the form that was asked for
    - PreconditionMissing   something that the question needs is not there
    - NoData                the question was answered with nothing to judge
    - NotAttested           a person must answer, and nobody has, or not lately
* Hopeless (AssertionError) the target is wrong, and waiting changes nothing; ends a window at once
"""


class OpsproofError(Exception):
    """
    Base class: says what happened, where, and what to do next.

    Args:
        what: What is wrong, in the operator's words, with numbers and units.
        where: The file and line, or the target and question, where it shows.
        next_step: What to do about it.
    """

    def __init__(self, what: str, *, where: str, next_step: str) -> None:
        super().__init__(what, where, next_step)
        self.what = what
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what}\n  where: {self.where}\n  next:  {self.next_step}"


class ProfileError(OpsproofError):
    """The profile is wrong; nothing was contacted."""


class StackError(OpsproofError):
    """The embedded stack could not do what was asked."""


class FaultNotInForce(StackError):
    """A fault was injected and never seen in force; what ran under it proves nothing."""


class FaultNotHealed(StackError):
    """A fault was healed and is still seen in force; the stack is still broken."""


class Refused(OpsproofError):
    """opsproof's own safety rule forbids the question; nothing was sent."""


class NotObserved(OpsproofError):
    """
    We could not look; this says nothing about health.

    Args:
        target: Name of the target in the profile (`api`, `database`, ...), or "" if none is to blame.
    """

    def __init__(self, what: str, *, where: str, next_step: str, target: str = "") -> None:
        super().__init__(what, where=where, next_step=next_step)
        self.target = target


class Unreachable(NotObserved):
    """No connection to the target could be made (refused, no route, name unknown, TLS failure, login refused)."""


class TimedOut(NotObserved):
    """The target did not give a whole answer within the limit."""


class BadAnswer(NotObserved):
    """An answer came, but not of the form that was asked for (no JSON, too large, endless redirects)."""


class PreconditionMissing(NotObserved):
    """Something that the question needs is not there (a credential, a table, an earlier step)."""


class NoData(NotObserved):
    """The question was answered, with nothing in it to judge."""


class NotAttested(NotObserved):
    """A person must answer, and nobody has; or the answer is too old, or from before the incident, to count."""


class Hopeless(AssertionError):
    """
    The target is wrong, and waiting changes nothing: a window ends at once.

    A check raises it in place of a plain assertion: for a database that is at a revision which the release's scripts
    do not know, but not for one that is behind, since its migration may still be running.
    """
