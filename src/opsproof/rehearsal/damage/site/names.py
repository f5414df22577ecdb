"""Resolvers that do not lead to the DR site."""

from opsproof.rehearsal.damage.damage import Damage
from opsproof.rehearsal.damage.site import usual
from opsproof.rehearsal.damage.site.lab import SiteLab
from opsproof.rehearsal.damage.site.lab_profile import ALIAS, HOME_ADDRESS, NAME, SERVICE

_LEADS = "site.every_resolver_leads_to_the_dr_site"


def _second_home(lab: SiteLab) -> None:
    lab.resolvers[1].records.answers[NAME, "A"] = [HOME_ADDRESS]


def _all_home(lab: SiteLab) -> None:
    for one in lab.resolvers:
        one.records.answers[NAME, "A"] = [HOME_ADDRESS]


def _both(lab: SiteLab) -> None:
    lab.resolvers[1].records.answers[NAME, "A"].append(HOME_ADDRESS)


def _turns(lab: SiteLab) -> None:
    lab.resolvers[1].records.turns[NAME, "A"] = [HOME_ADDRESS]


def _silent(lab: SiteLab) -> None:
    lab.resolvers[1].records.silent = True


def _failing(lab: SiteLab) -> None:
    lab.resolvers[1].records.code = "SERVFAIL"


def _gone(lab: SiteLab) -> None:
    del lab.resolvers[1].records.answers[SERVICE, "SRV"]


def _loop(lab: SiteLab) -> None:
    answers = lab.resolvers[1].records.answers
    del answers[NAME, "A"]
    answers[NAME, "CNAME"] = [f"{ALIAS}."]
    answers[ALIAS, "CNAME"] = [f"{NAME}."]


def _day(lab: SiteLab) -> None:
    lab.resolvers[1].records.ttl = 86400


def _port(lab: SiteLab) -> None:
    port = lab.original.home.port
    lab.resolvers[1].records.answers[SERVICE, "SRV"] = [f"0 5 {port} db-dr.rehearsal.test."]


def _sixth(lab: SiteLab) -> None:
    lab.resolvers[1].records.answers[NAME, "AAAA"] = ["::1"]


def _alias(lab: SiteLab) -> None:
    lab.resolvers[1].records.answers[ALIAS, "CNAME"] = ["api-home.rehearsal.test."]


def _by_tcp(lab: SiteLab) -> None:
    lab.resolvers[1].records.stream[NAME, "A"] = [HOME_ADDRESS]


def _target(lab: SiteLab) -> None:
    lab.resolvers[1].records.answers["db-dr.rehearsal.test", "A"] = [HOME_ADDRESS]


def _nowhere(lab: SiteLab) -> None:
    del lab.resolvers[1].records.answers["api-dr.rehearsal.test", "A"]


NAMES: tuple[Damage[SiteLab], ...] = (
    Damage(
        "one-resolver-leads-home",
        "F1",
        {"en": "One of two resolvers still leads to the home site", "ko": "리졸버 하나가 아직 이전 사이트를 가리킨다"},
        _second_home,
        usual.dig,
        (_LEADS,),
    ),
    Damage(
        "all-resolvers-lead-home",
        "F1",
        {"en": "The name was not switched", "ko": "DNS가 전환되지 않았다"},
        _all_home,
        usual.health,
        (_LEADS,),
    ),
    Damage(
        "resolver-gives-both-sites",
        "",
        {"en": "A resolver gives both sites' addresses", "ko": "리졸버가 두 사이트의 주소를 모두 답한다"},
        _both,
        usual.dig,
        (_LEADS,),
    ),
    Damage(
        "resolver-takes-turns",
        "",
        {"en": "A resolver gives one site, then the other", "ko": "리졸버가 두 사이트를 번갈아 답한다"},
        _turns,
        usual.dig,
        (_LEADS,),
    ),
    Damage(
        "old-answer-by-tcp",
        "",
        {"en": "A resolver gives the home site by TCP alone", "ko": "TCP로 물으면 이전 사이트를 답한다"},
        _by_tcp,
        usual.dig,
        (_LEADS,),
    ),
    Damage(
        "resolver-silent",
        "",
        {"en": "A resolver says nothing", "ko": "리졸버가 응답하지 않는다"},
        _silent,
        usual.dig,
        (_LEADS, "site.answers_are_kept_no_longer_than_agreed"),
    ),
    Damage(
        "resolver-fails",
        "",
        {"en": "A resolver answers SERVFAIL", "ko": "리졸버가 SERVFAIL을 답한다"},
        _failing,
        usual.dig,
        (_LEADS, "site.answers_are_kept_no_longer_than_agreed"),
    ),
    Damage(
        "name-gone",
        "",
        {"en": "The database's name is not there at one resolver", "ko": "리졸버 하나에 DB 이름이 없다"},
        _gone,
        usual.dig,
        (_LEADS,),
    ),
    Damage(
        "alias-loop",
        "",
        {"en": "Two aliases lead to each other", "ko": "CNAME이 서로를 가리킨다"},
        _loop,
        usual.dig,
        (_LEADS,),
    ),
    Damage(
        "answer-kept-for-a-day",
        "F1",
        {"en": "Answers are kept for a day", "ko": "TTL이 하루다"},
        _day,
        usual.dig,
        ("site.answers_are_kept_no_longer_than_agreed",),
    ),
    Damage(
        "service-record-wrong-port",
        "",
        {"en": "The service record has the home site's port", "ko": "SRV 레코드의 포트가 이전 사이트 것이다"},
        _port,
        usual.dig,
        (_LEADS,),
    ),
    Damage(
        "address-of-the-other-family",
        "",
        {"en": "An IPv6 address was left behind", "ko": "IPv6 주소(AAAA)가 남아 있다"},
        _sixth,
        usual.dig,
        (_LEADS,),
    ),
    Damage(
        "alias-leads-home",
        "F1",
        {"en": "An alias still leads to the home site", "ko": "CNAME이 아직 이전 사이트를 가리킨다"},
        _alias,
        usual.dig,
        (_LEADS,),
    ),
    Damage(
        "target-leads-home",
        "",
        {"en": "The service record's target is a host of the home site", "ko": "SRV 대상 호스트가 이전 사이트 주소다"},
        _target,
        usual.dig,
        (_LEADS,),
    ),
    Damage(
        "alias-leads-nowhere",
        "",
        {"en": "An alias leads to a name without an address", "ko": "CNAME 대상에 주소가 없다"},
        _nowhere,
        usual.dig,
        (_LEADS,),
    ),
)
"""All of them at the second resolver only, where one may do: the first one is what people ask."""
