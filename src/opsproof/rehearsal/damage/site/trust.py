"""Secrets and certificates of the DR site, and what reaches the outside from it."""

import socket
from datetime import timedelta

from opsproof.rehearsal.damage.damage import Damage
from opsproof.rehearsal.damage.site import usual
from opsproof.rehearsal.damage.site.lab import SiteLab
from opsproof.rehearsal.damage.site.lab_profile import HOME_ADDRESS
from opsproof.stack.ports import HOST
from opsproof.stack.process import wait_for

_SETTINGS = "site.the_sites_have_the_same_settings"
_FILES = "site.private_files_are_private"
_LOGIN = "site.the_service_logs_in_with_its_own_secret"
_CERTIFICATE = "site.certificates_are_accepted"
_SENT = "site.nothing_was_sent_to_the_outside"
_CONNECTED = "site.nothing_is_connected_to_the_outside"
_CONNECT = 'exec 3<>"/dev/udp/$0/25"; exec sleep 600'


def _edit(lab: SiteLab, name: str, value: str | None) -> None:
    path = lab.settings("dr")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith(f"{name}=")]
    path.write_text("\n".join(lines if value is None else [*lines, f"{name}={value}"]) + "\n", encoding="utf-8")


def _missing(lab: SiteLab) -> None:
    _edit(lab, "JWT_SECRET", None)


def _empty(lab: SiteLab) -> None:
    _edit(lab, "JWT_SECRET", "")


def _old(lab: SiteLab) -> None:
    _edit(lab, "API_KEY", "the-key-of-last-year")
    lab.service.key = "the-key-of-last-year"


def _database_of_home(lab: SiteLab) -> None:
    home = lab.settings("home").read_text(encoding="utf-8").partition("DATABASE_URL=")[2].strip()
    _edit(lab, "DATABASE_URL", home)


def _open_file(lab: SiteLab) -> None:
    (lab.folder / ".pgpass").chmod(0o644)


def _no_file(lab: SiteLab) -> None:
    (lab.folder / ".pgpass").unlink()


def _old_password(lab: SiteLab) -> None:
    (lab.folder / ".pgpass").write_text("*:*:*:service:of-last-year\n", encoding="utf-8")


def _ended(lab: SiteLab) -> None:
    lab.certificates.show(begun=timedelta(days=-90), left=timedelta(days=-1))


def _ends(lab: SiteLab) -> None:
    lab.certificates.show(left=timedelta(days=3))


def _not_yet(lab: SiteLab) -> None:
    lab.certificates.show(begun=timedelta(days=1), left=timedelta(days=90))


def _other_name(lab: SiteLab) -> None:
    lab.certificates.show("api-home.rehearsal.test", left=timedelta(days=365))


def _foreign(lab: SiteLab) -> None:
    lab.certificates.show(left=timedelta(days=365), own=False)


def _mailed(lab: SiteLab) -> None:
    lab.sql("INSERT INTO outbox VALUES ('mail-1', now())")


def _to_sink(lab: SiteLab) -> None:
    with socket.create_connection((HOST, lab.mail.port), timeout=5):
        wait_for(lambda: lab.mail.taken > 0, 10)


def _outward(lab: SiteLab) -> None:
    """A restored process that talks to an address that it may not; it sends nothing."""
    grounds = lab.original.dr.grounds
    process = grounds.spawn(["bash", "-c", _CONNECT, HOME_ADDRESS], name=f"outward-{lab.token}", cwd=lab.folder)
    lab.watched.append(process.pid)
    wait_for(lambda: bool(lab.egress.seen), 60, pause=0.05)


TRUST: tuple[Damage[SiteLab], ...] = (
    Damage(
        "secret-missing",
        "F5",
        {"en": "A secret is missing at the DR site", "ko": "DR 사이트에 시크릿이 없다"},
        _missing,
        usual.shell,
        (_SETTINGS,),
    ),
    Damage(
        "secret-empty",
        "F5",
        {"en": "A secret is empty at the DR site", "ko": "DR 사이트의 시크릿이 비어 있다"},
        _empty,
        usual.shell,
        (_SETTINGS,),
    ),
    Damage(
        "secret-of-last-year",
        "F5",
        {"en": "The DR service has an old secret and refuses its clients", "ko": "DR 서비스가 옛 시크릿을 쓴다"},
        _old,
        usual.health,
        (_SETTINGS, "site.representative_judgments_are_made"),
    ),
    Damage(
        "settings-lead-to-the-home-database",
        "",
        {"en": "The DR site's settings lead to the home database", "ko": "DR 설정이 이전 DB를 가리킨다"},
        _database_of_home,
        usual.shell,
        (_SETTINGS, _LOGIN),
    ),
    Damage(
        "password-file-open",
        "F5",
        {"en": ".pgpass may be read by others, so libpq ignores it", "ko": ".pgpass 권한이 0644라 무시된다"},
        _open_file,
        usual.shell,
        (_FILES, _LOGIN),
    ),
    Damage(
        "password-file-missing",
        "F5",
        {"en": ".pgpass is not there", "ko": ".pgpass가 없다"},
        _no_file,
        usual.shell,
        (_FILES, _LOGIN),
    ),
    Damage(
        "password-of-last-year",
        "F5",
        {"en": "The service's password is an old one", "ko": "서비스 비밀번호가 옛것이다"},
        _old_password,
        usual.shell,
        (_LOGIN,),
    ),
    Damage(
        "certificate-ended",
        "F7",
        {"en": "The certificate has ended", "ko": "인증서가 만료되었다"},
        _ended,
        usual.encrypted,
        (_CERTIFICATE,),
    ),
    Damage(
        "certificate-ends-soon",
        "F7",
        {"en": "The certificate ends in three days", "ko": "인증서가 3일 후 만료된다"},
        _ends,
        usual.encrypted,
        (_CERTIFICATE,),
    ),
    Damage(
        "certificate-not-yet-valid",
        "F7",
        {"en": "The certificate is not valid yet", "ko": "인증서가 아직 유효하지 않다"},
        _not_yet,
        usual.encrypted,
        (_CERTIFICATE,),
    ),
    Damage(
        "certificate-of-another-name",
        "F7",
        {"en": "The certificate is for the home site's name", "ko": "인증서의 이름이 다르다"},
        _other_name,
        usual.encrypted,
        (_CERTIFICATE,),
    ),
    Damage(
        "certificate-of-a-stranger",
        "F7",
        {"en": "The certificate is signed by nobody that clients trust", "ko": "신뢰하지 않는 CA가 서명했다"},
        _foreign,
        usual.encrypted,
        (_CERTIFICATE,),
    ),
    Damage(
        "mail-sent",
        "F8",
        {"en": "The restored outbox has sent a mail", "ko": "복구된 아웃박스가 메일을 보냈다"},
        _mailed,
        usual.health,
        (_SENT,),
    ),
    Damage(
        "mail-server-reached",
        "F8",
        {"en": "Something connected to the mail server", "ko": "메일 서버에 연결이 있었다"},
        _to_sink,
        usual.health,
        (_SENT,),
    ),
    Damage(
        "connected-to-the-outside",
        "F8",
        {"en": "A restored process is connected to the outside", "ko": "복구된 프로세스가 외부에 연결되어 있다"},
        _outward,
        usual.health,
        (_CONNECTED,),
    ),
)
