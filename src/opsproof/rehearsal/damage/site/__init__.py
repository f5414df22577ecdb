"""Damage to a recovered site that leaves its health green."""

from opsproof.rehearsal.damage.site.area import QUESTIONS, SITE
from opsproof.rehearsal.damage.site.lab import SiteLab, site_lab

AREAS = (SITE,)

__all__ = ["AREAS", "QUESTIONS", "SITE", "SiteLab", "site_lab"]
