"""What the operator expects must fit the profiles of the run: else it would silently not be looked at."""

from collections.abc import Collection, Mapping

from opsproof.errors import ProfileError
from opsproof.plugin.options import Options
from opsproof.profile.models import Profile


def refuse_misfits(options: Options, profiles: Mapping[str, Profile], environments: Collection[str]) -> None:
    """
    Refuse options that name what no profile of the run has.

    Args:
        options: What the operator asked for.
        profiles: Those of the run, by name.
        environments: All that there are, to be named after `--allow-writes`.

    Raises:
        ProfileError: A system, a section or an environment is not there, or a release cannot be verified.
    """
    systems = {profile.system for profile in profiles.values()}
    if other := [system for system in options.expecting if system not in systems]:
        raise ProfileError(
            f"a release of {', '.join(other)} is expected, and no profile of this run is of that system",
            where="--expect-version",
            next_step=f"Correct the system's name ({', '.join(sorted(systems))}), or leave it out.",
        )
    if options.expected and not any(profile.payload for profile in profiles.values()):
        raise ProfileError(
            f"{', '.join(options.expected)} is expected, and no profile of this run has a `payload:` section",
            where="--expect",
            next_step="Name a profile that has one, or leave --expect out.",
        )
    if unknown := sorted(options.writes - set(environments)):
        raise ProfileError(
            f"writes are allowed in {unknown[0]!r}, and no profile is of that environment",
            where="--allow-writes",
            next_step=f"Correct the name ({', '.join(sorted(set(environments) - {'base'}))}), or leave it out.",
        )
    for name, profile in profiles.items():
        if options.expected_version(profile.system) and profile.release is None:
            raise ProfileError(
                "the release cannot be verified: this profile has no `release:` section",
                where=name,
                next_step="Add `release: {path: /version, field: version}`, or leave --expect-version out.",
            )
