"""A plan of four steps."""

from opsproof.rehearsal.procedure.plan import Plan, PlannedStep

SECRET = "hunter2-of-the-database"
STEPS = (
    PlannedStep("rehearsal.x.first", {"en": "The first is done"}, "declare", critical=False, always=False),
    PlannedStep("rehearsal.x.critical", {"en": "What all stands on is done"}, "database", critical=True, always=False),
    PlannedStep("rehearsal.x.later", {"en": "The later is done"}, "service", critical=False, always=False),
    PlannedStep("rehearsal.x.always", {"en": "Nothing is left"}, "failback", critical=False, always=True),
)
FIRST, CRITICAL, LATER, ALWAYS = (step.check for step in STEPS)


def plan_of(profile, scenario="region-loss", steps=STEPS):
    """Its objectives are the profile's."""
    return Plan(profile.name, scenario, profile.rehearsals.scenarios[scenario], tuple(steps))
