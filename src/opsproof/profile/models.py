"""The profile: the description of one environment of one system."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from opsproof.profile.attested import Attested
from opsproof.profile.backups import Backups
from opsproof.profile.canary import Canary
from opsproof.profile.indicators import Indicator, Priority
from opsproof.profile.inspector import AnswerTruth, DatabaseHealth, ExternalApi, Inspector, Page
from opsproof.profile.load import Load
from opsproof.profile.payload import Payload
from opsproof.profile.registration import Monitoring, Registration
from opsproof.profile.rehearsals import Rehearsals
from opsproof.profile.scalars import Duration, Expiry, Severity, TimeZone
from opsproof.profile.scenarios import Scenario
from opsproof.profile.sections import (
    Authorization,
    Decisions,
    Endpoint,
    Exposition,
    Health,
    Queues,
    RateLimit,
    RecentJobs,
    Release,
    RequiredSetting,
    StoredMetadata,
    Tracing,
    Work,
)
from opsproof.profile.targets import AnyTarget, Section
from opsproof.profile.text import Text


class Waiver(Section):
    """A known failure that does not stop the gate until it expires."""

    check: str = Field(description="Id of the check, or of a runbook row that it cites.")
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    until: Expiry = Field(description="When it expires: a time with zone, or a date (its end, UTC).")


class Policy(Section):
    """What decides the verdict, and what opsproof may do here."""

    fail_on: Severity = Field("SEV-2", description="A failed check of this severity or worse fails the run.")
    require: dict[str, tuple[str, ...]] = Field(
        {}, description="By marker: targets that a run of that marker must really have checked ('any': every run)."
    )
    writes: bool = Field(False, description="True: checks that write may run, if the operator repeats the name.")
    check_deadline: Duration = Field(30.0, description="Limit of one check.")
    run_deadline: Duration = Field(300.0, description="Limit of all checks of this profile together.")
    fresh_for: Duration = Field(
        3600.0, description="`--resume` takes a passed check over as long as it is younger than this."
    )
    channels: dict[Priority, tuple[str, ...]] = Field({}, description="Where a finding of a priority is told.")
    notify: dict[str, SecretStr] = Field(
        {}, description="Address of a channel, as apprise writes it, by the channel's name; empty: none here."
    )
    waivers: tuple[Waiver, ...] = ()

    @model_validator(mode="after")
    def _addresses_are_of_channels(self) -> Self:
        channels = {channel for names in self.channels.values() for channel in names}
        if unknown := [name for name in self.notify if name not in channels]:
            known = ", ".join(sorted(channels)) or "none"
            raise ValueError(f"`notify` names {', '.join(unknown)}, and `channels` has {known}")
        return self

    @field_validator("require", mode="before", json_schema_input_type=dict[str, tuple[str, ...]] | tuple[str, ...])
    @classmethod
    def _list_means_any(cls, value: object) -> object:
        return {"any": value} if isinstance(value, (list, tuple)) else value


class Profile(Section):
    """One environment of one system (design, section 6)."""

    system: str
    environment: str
    title: Text
    timezone: TimeZone = Field("UTC", description="Where `today` is meant: Asia/Seoul.")
    targets: dict[str, AnyTarget] = Field({}, description="What can be asked, by name: api, database, cache, ...")
    health: Health = Health()
    release: Release | None = None
    core: tuple[Endpoint, ...] = Field((), description="Core paths of the API.")
    authorization: Authorization | None = None
    tracing: Tracing | None = None
    exposition: Exposition | None = None
    rate_limit: RateLimit | None = None
    required_settings: tuple[RequiredSetting, ...] = ()
    work: tuple[Work, ...] = Field((), description="Synthetic work that a worker must finish.")
    queues: Queues | None = None
    recent_jobs: RecentJobs | None = None
    stored_metadata: StoredMetadata | None = None
    payload: Payload | None = None
    answers: dict[str, AnswerTruth] = Field({}, description="Answers that must agree with the data, by name.")
    inspector: Inspector | None = None
    database_health: DatabaseHealth | None = None
    pages: dict[str, Page] = Field({}, description="Pages that want a login, by name.")
    external_api: ExternalApi | None = None
    decisions: Decisions | None = None
    registration: Registration = Registration()
    monitoring: Monitoring = Monitoring()
    backups: Backups | None = None
    rehearsals: Rehearsals | None = None
    canary: Canary | None = None
    canary_success_criteria: dict[str, Annotated[float, Field(gt=0)]] = Field(
        {}, description="Limits of the canary's criteria as runbook 001 writes them: error_rate_max: 0.01."
    )
    load: Load | None = None
    indicators: dict[str, Indicator] = Field({}, description="Numbers with limits, by id; one check each.")
    attested: dict[str, Attested] = Field({}, description="What a person must confirm, by id; one check each.")
    scenarios: dict[str, Scenario] = Field({}, description="Incidents that the runbook knows, by id, for diagnosis.")
    policy: Policy = Policy()

    @model_validator(mode="after")
    def _entries_know_their_id(self) -> Self:
        for key, indicator in self.indicators.items():
            indicator._id = key
        for key, attested in self.attested.items():
            attested._id = key
        return self

    @model_validator(mode="after")
    def _canary_demands_something(self) -> Self:
        if self.canary is not None:
            self.canary.take_success_criteria(self.canary_success_criteria)
        elif self.canary_success_criteria:
            raise ValueError("`canary_success_criteria` says limits, and there is no `canary` with criteria")
        return self

    @model_validator(mode="after")
    def _load_judges_failures(self) -> Self:
        """A refusal is quick, and looks like a good time."""
        if self.load is not None and not self.load.judges_failures:
            raise ValueError(
                "`load` has no gate for all requests that fail, and quick failures look like good times; add one to "
                '`load.gates`: `errors: {measure: errors, limit: "< 1 %", ...}`'
            )
        return self

    def lacks(self, target: str) -> str:
        """Why a target cannot be asked here; "" if it can."""
        if target not in self.targets:
            return f"{self.name} has no target `{target}`"
        absent = self.targets[target].absent
        return absent and f"{self.name} has no {target}: {absent}"

    @property
    def name(self) -> str:
        """`SYSTEM/ENVIRONMENT`."""
        return f"{self.system}/{self.environment}"
