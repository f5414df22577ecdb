"""Damage to a recovered site that leaves its health green."""

from opsproof.rehearsal.damage.site.area import NOT_HERE, QUESTIONS, SITE
from opsproof.rehearsal.damage.site.lab import SiteLab, site_lab

__all__ = ["NOT_HERE", "QUESTIONS", "SITE", "SiteLab", "site_lab"]
