"""The profile: models, loading, overlays, secrets, schema."""

from opsproof.profile.expecting import with_expected
from opsproof.profile.exposure import as_document, as_yaml, secrets_of
from opsproof.profile.finding import find_profiles, profile_file
from opsproof.profile.loading import load_profile, load_with_unset, profile_or_none
from opsproof.profile.models import Policy, Profile, Waiver
from opsproof.profile.references import Unset

__all__ = [
    "Policy",
    "Profile",
    "Unset",
    "Waiver",
    "as_document",
    "as_yaml",
    "find_profiles",
    "load_profile",
    "load_with_unset",
    "profile_file",
    "profile_or_none",
    "secrets_of",
    "with_expected",
]
