"""A planted secret is in no file that a run writes, and nowhere on the terminal, whatever is asked for."""

import base64
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from answering import Answer, AnsweringServer, Request
from checkout import Checkout, Finished, together

from opsproof.probes.http.forged import forged, secrets_in
from opsproof.profile.targets import Identity

SECRETS = {
    "bearer": "Zx9qWk3Vb8Lm2pTy7Rn4Hs6Jd1Fg5Cb0eAuIoXwQz",
    "api_key": "ak-7fK2-9sLq-8Wn3-Vx5P-Dm1G",
    "password": "pä/ss%w@rd #7'\"quoted\\Kx4",
    "dsn": "dbPw+Hq8/Zr3=Ty6:Nb",
    "redis": "rdsQ7w9Ee2Rr4Tt6",
    "query": "sig0Lk9Jj8Hh7Gg6Ff5",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvcHMtYWRtaW4iLCJleHAiOjQwMDAwMDAwMDB9.q7Wm2Xc9Rt4Yb6Nz1Lk8Jh3Gf5Ds0Pa",
    "env_file": "envfileUu8Ii7Oo6Pp5Aa4Ss3Dd2",
}
FORGERIES = ("tampered", "unsigned", "expired")
PIECE = 8
"""No so long piece of a secret may be seen."""

CHECKS = """
TOKEN, KEY = os.environ["DEMO_BEARER"], os.environ["DEMO_API_KEY"]
PASSWORD, DSN = os.environ["DEMO_PASSWORD"], os.environ["DEMO_DSN"]
ALL = [TOKEN, KEY, PASSWORD, DSN]
log = logging.getLogger("demo")

@pytest.fixture
def bad_setup(api):
    held = TOKEN
    print("set up with", TOKEN)
    raise RuntimeError("setup " + TOKEN)

@pytest.fixture
def bad_end(api):
    yield
    print("ended with", TOKEN)
    raise RuntimeError("end " + TOKEN)

@runbook()
async def test_echo(api):
    answer = await api.get("/echo")
    body, headers = answer.text, dict(answer.headers)
    assert answer.status == 418, body + str(headers)

@runbook()
@pytest.mark.parametrize("who", [None, "key", "user"])
async def test_who(api, who):
    answer = await api.get("/echo", identity=who)
    received = answer.json()
    assert received == {"headers": {}}

@runbook()
@pytest.mark.parametrize("how", ["unknown", "tampered", "unsigned", "expired"])
async def test_forged(api, how):
    answer = await api.get("/echo", identity=Forged("signed", how))
    received = answer.json()
    print("forged", received)
    assert received == {"headers": {}}, answer.text

@runbook()
async def test_says(api):
    await api.get("/x")
    for secret in ALL:
        print("printed", secret)
        print("to stderr", secret, file=sys.stderr)
        log.warning("logged %s", secret)
        log.debug("debugged %s", {"anything": secret})
        warnings.warn("warned " + secret)
    sys.stdout.writelines([TOKEN + "\\n"])
    assert False

@runbook()
async def test_raises(api):
    await api.get("/x")
    held = {"Authorization": f"Bearer {TOKEN}", "list": ALL}
    try:
        raise ValueError("first " + TOKEN)
    except ValueError as exc:
        raise RuntimeError(f"second {ALL}") from exc

@runbook()
async def test_compares_the_end(api):
    answer = await api.get("/x")
    assert "x" * 60 + TOKEN == "x" * 60 + TOKEN[:4] + "!", "texts"

@runbook()
async def test_compares_starts(api):
    answer = await api.get("/x")
    assert TOKEN + "!" * 60 == "?" + TOKEN + "!" * 60

@runbook()
async def test_cut_in_the_middle(api):
    answer = await api.get("/x")
    long = {"before": "b" * 90, "held": TOKEN, "after": "a" * 90}
    assert long == ["y" * 30 + TOKEN + "z" * 300, TOKEN * 9]

@runbook()
async def test_looks_for_it(api):
    answer = await api.get("/x")
    assert TOKEN not in "left " * 30 + TOKEN + " right" * 30

@runbook()
async def test_bytes(api):
    answer = await api.get("/x")
    assert TOKEN.encode() == b"x"

@runbook()
@pytest.mark.parametrize("value", [TOKEN])
async def test_value(api, value):
    answer = await api.get("/x")
    assert not value

@runbook()
async def test_setup(api, bad_setup):
    pass

@runbook()
async def test_end(api, bad_end):
    assert (await api.get("/x")).ok

@runbook()
async def test_skips(api):
    await api.get("/x")
    pytest.skip("skipped for " + TOKEN)

@runbook()
def test_plain(api):
    api.get("/x?token=" + TOKEN)
    print("plainly", TOKEN)
    assert api.get("/" + TOKEN).status == 418, TOKEN

@runbook()
async def test_database(database):
    await database.rows("SELECT 1")

@runbook()
async def test_cache(cache):
    await cache.ping()

@runbook()
async def test_settings(settings, profile):
    held = await settings.setting(profile.required_settings[0].name)
    assert not held, held

@runbook()
async def test_profile(api, profile):
    await api.get("/x")
    assert profile is None

def test_ordinary():
    held = TOKEN
    print("ordinarily", TOKEN)
    log.warning("logged ordinarily %s", TOKEN)
    assert not held
"""
VARIANTS = {
    "quiet": (),
    "locals": ("-vv", "--showlocals", "--durations=0"),
    "all": ("-rA", "--tb=native", "--color=yes"),
    "uncaptured": ("-s", "--tb=short"),
    "logs": ("--log-cli-level=debug", "--log-file=extra/all.log", "--log-file-level=debug"),
    "junit": ("--junitxml=extra/own.xml", "--tb=long", "-o", "junit_logging=all", "-o", "junit_log_passing_tests=true"),
    "allure": ("-p", "allure_pytest", "--alluredir=extra/allure", "--tb=line"),
    "workers": ("-n", "2", "-vv", "--showlocals", "--junitxml=extra/own.xml"),
    "warnings": ("-W", "error", "--tb=long", "--full-trace"),
}


@pytest.fixture
def planted(checkout: Checkout, server: AnsweringServer) -> Checkout:
    """Secrets in every place of the profile; the server sends back whatever it was sent."""

    def echo(request: Request) -> Answer:
        authorization = request.headers.get("authorization", "-")
        return Answer(
            {"headers": request.headers, "path": request.path, "free": f"you sent {authorization}"},
            headers={"X-Echo": authorization, "Set-Cookie": f"session={SECRETS['bearer']}"},
        )

    server.by_prefix["/"] = echo
    (checkout.root / "extra").mkdir()
    checkout.write("demo.env", f"DEMO_SETTING={SECRETS['env_file']}\n")
    checkout.profile(
        "required_settings: [{name: DEMO_SETTING}]",
        url=f"{server.url}/base?signature=${{DEMO_QUERY}}",
        api='auth: {bearer: "${DEMO_BEARER}"}, identities: {key: {api_key: "${DEMO_API_KEY}"}, '
        'user: {user: someone, password: "${DEMO_PASSWORD}"}, signed: {bearer: "${DEMO_JWT}"}}',
        targets=f"""
        database: {{kind: postgres, dsn: "postgresql://app:${{DEMO_DSN_QUOTED}}@127.0.0.1:1/demo"}}
        cache: {{kind: redis, url: "redis://:${{DEMO_REDIS}}@127.0.0.1:1/0"}}
        settings: {{kind: settings, env_file: "{checkout.root}/demo.env"}}
        """,
    )
    checkout.checks(CHECKS)
    checkout.write(
        "checks/broken/test_broken.py",
        "import os\nheld = os.environ['DEMO_BEARER']\nassert not held, 'token ' + held\n",
    )
    return checkout


def variables() -> dict[str, str]:
    named = {f"DEMO_{name.upper()}": secret for name, secret in SECRETS.items() if name != "env_file"}
    return named | {"DEMO_DSN_QUOTED": quote(SECRETS["dsn"], safe="")}


def seen(done: Finished, folders: list[Path]) -> Iterator[str]:
    """Every place in which a piece of a secret, as it stands or in another form, is seen."""
    forms = {
        form
        for secret in SECRETS.values()
        for form in (
            secret,
            quote(secret, safe=""),
            json.dumps(secret)[1:-1],
            base64.b64encode(secret.encode()).decode().rstrip("="),
        )
    }
    signed = Identity(bearer=SECRETS["jwt"])
    forms |= {part for how in FORGERIES for part in secrets_in(forged(signed, how)) if len(part) >= PIECE}
    forms.add(base64.b64encode(f"someone:{SECRETS['password']}".encode()).decode().rstrip("="))
    pieces = {form[start : start + PIECE] for form in forms for start in range(len(form) - PIECE + 1)}
    texts = {"the terminal": done.text} | {
        str(path): path.read_bytes().decode(errors="replace")
        for f in folders
        for path in f.rglob("*")
        if path.is_file()
    }
    for place, text in texts.items():
        for piece in pieces:
            if piece in text:
                at = text.index(piece)
                yield f"{place}: {text[max(0, at - 60) : at + 60]!r}"
                break


def test_a_planted_secret_is_seen_nowhere(planted: Checkout) -> None:
    """What a header assertion, a traceback, a log or an echo shows goes to terminal, JUnit and Allure at once."""
    copies = {name: Checkout(planted.root.parent / f"{planted.root.name}-{name}", planted.url) for name in VARIANTS}
    for copy in copies.values():
        for path in ("profiles/demo/local.yaml", "checks/demo/test_demo.py", "checks/broken/test_broken.py"):
            copy.write(path, (planted.root / path).read_text())
        (copy.root / "extra").mkdir()

    done = together(
        {
            name: partial(copies[name].run, "--continue-on-collection-errors", *args, env=variables())
            for name, args in VARIANTS.items()
        }
    )

    for name, run in done.items():
        assert run.status == 1, f"{name}\n{run.text}"
        assert len(run.run.outcomes) == 24, name
        assert "***" in run.text, name
        folders = [copies[name].root / "reports", copies[name].root / "extra"]
        assert len([path for folder in folders for path in folder.rglob("*")]) > 20, name
        assert list(seen(run, folders)) == [], name


def test_evidence_and_its_replay_hold_no_secret_and_judge_the_same(planted: Checkout) -> None:
    """What was masked when it was seen stays masked, and is enough to judge again without the secrets."""
    (planted.root / "checks/broken/test_broken.py").unlink()
    first = planted.run("-k", "who or echo or database or cache", env=variables())

    again = planted.run(
        f"--replay={first.folder}",
        "-k",
        "who or echo or database or cache",
        profile=None,
        env={f"DEMO_{name}": "-" for name in ("BEARER", "API_KEY", "PASSWORD", "DSN")},
    )

    assert again.told == first.told
    assert list(seen(again, [planted.root / "reports"])) == []
    by_hand = " ".join(line["by_hand"] for line in first.evidence)
    assert "-H 'Authorization: Bearer ***'" in by_hand
    assert "-u 'someone:***'" in by_hand


def test_a_mistake_in_the_profile_does_not_show_its_secrets(planted: Checkout) -> None:
    """Error texts quote what is wrong; that may be next to a secret."""
    path = planted.root / "profiles/demo/local.yaml"
    whole = path.read_text()
    literal = whole
    for name, value in variables().items():
        literal = literal.replace(f"${{{name}}}", value.replace("\\", "\\\\").replace('"', '\\"'))
    wrong = {
        "unknown key": literal.replace("auth:", "auht:"),
        "two ways": literal.replace("{bearer:", "{api_key: x1y2z3a4, bearer:"),
        "no url": literal.replace("redis://:", "redsi://:"),
        "yaml": literal.replace("auth: {", "auth: ["),
        "raw dsn": whole.replace("${DEMO_DSN_QUOTED}", SECRETS["dsn"] + "@"),
    }
    for case, text in wrong.items():
        path.with_name(f"{case.replace(' ', '_')}.yaml").write_text(text.replace("local", case.replace(" ", "_"), 1))
    path.unlink()

    done = together(
        {case: partial(planted.run, profile=f"demo/{case.replace(' ', '_')}", env=variables()) for case in wrong}
    )

    for case, run in done.items():
        assert run.status == 4, case
        assert list(seen(run, [planted.root / "reports"])) == [], case
