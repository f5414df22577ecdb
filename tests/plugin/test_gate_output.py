"""What a check prints, logs and compares lands in that check's report, and nowhere else."""

from functools import partial

import pytest
from answering import Answer, AnsweringServer
from checkout import Checkout, together

TALKING = """
log = logging.getLogger("talking")

@runbook()
@pytest.mark.parametrize("n", range(6))
async def test_async(api, n):
    print(f"print before {n}")
    log.info("log before %d", n)
    await api.get(f"/{n}")
    print(f"print after {n}", file=sys.stderr)
    log.debug("debug after %d", n)
    sys.stdout.writelines([f"line of {n}\\n"])
    assert n != 4, f"words of {n}"

@runbook()
def test_plain(api):
    print("plain print")
    log.info("plain log")
    api.get("/plain")
"""


@pytest.mark.parametrize(
    "args",
    [
        ("--log-level=debug",),
        ("--log-level=debug", "-s"),
        ("--log-level=debug", "-n", "2"),
        ("--log-cli-level=debug", "--log-file=all.log", "--log-file-level=debug"),
    ],
    ids=["captured", "-s", "-n", "--log-cli"],
)
def test_output_lands_in_its_own_check_in_order(
    checkout: Checkout, server: AnsweringServer, args: tuple[str, ...]
) -> None:
    """Six checks talk at once in a thread that pytest knows nothing of; nobody reads another one's words."""
    server.delay = 0.02
    checkout.checks(TALKING)

    done = checkout.run("--tb=short", *args)

    assert done.status == 1
    for n in range(6):
        lines = done.outcomes[f"demo.async[demo/local-{n}]"].output.splitlines()
        own = [line for line in lines if "httpcore" not in line and "httpx" not in line]
        assert own == [
            f"print before {n}",
            f"INFO talking: log before {n}",
            f"print after {n}",
            f"DEBUG talking: debug after {n}",
            f"line of {n}",
        ]
    assert done.outcomes["demo.plain[demo/local]"].output.startswith("plain print\nINFO talking: plain log\n")
    if "-s" in args:
        assert [done.text.count(f"print before {n}\n") for n in range(6)] == [1, 1, 1, 1, 2, 1]
    else:
        assert [done.text.count(f"print before {n}\n") for n in range(6)] == [0, 0, 0, 0, 1, 0]
    if "--log-file=all.log" in args:
        assert "talking" not in (checkout.root / "all.log").read_text()


COMPARING = """
async def wrong(api):
    return (await api.get("/json")).json()

@runbook()
async def test_dicts(api):
    assert await wrong(api) == {"a": 1, "list": [1, 2, 3], "same": True}

@runbook()
async def test_lists(api):
    assert (await wrong(api))["list"] == [1, 2, 3]

@runbook()
async def test_texts(api):
    assert (await wrong(api))["text"] == "one\\nTWO\\nthree"

@runbook()
async def test_booleans(api):
    answer = await api.get("/json")
    assert answer.status == 200 and answer.json()["a"] == 1

@runbook()
async def test_own_words(api):
    found = (await wrong(api))["a"]
    assert found == 1, f"a is {found}"

@runbook()
async def test_group(api):
    first, second = await asyncio.gather(wrong(api), wrong(api))
    assert first is second
"""


@pytest.mark.parametrize("colour", ["no", "yes"])
def test_comparisons_of_checks_that_ran_ahead_are_explained(
    checkout: Checkout, server: AnsweringServer, colour: str
) -> None:
    """The operator reads both sides; colours of the terminal are no part of what is kept."""
    server.script["/json"] = Answer({"a": 2, "list": [1, 5, 3], "text": "one\ntwo\nthree", "same": True})
    checkout.checks(COMPARING)

    done = checkout.run(f"--color={colour}", "-v")

    told = {name: outcome.message for name, outcome in done.outcomes.items()}
    assert "'same': True" in told["dicts"]
    assert "{'a': 2} != {'a': 1}" in told["dicts"]
    assert "{'list': [1, 5, 3]} != {'list': [1, 2, 3]}" in told["dicts"]
    assert "At index 1 diff: 5 != 2" in told["lists"]
    assert "- TWO" in told["texts"]
    assert "+ two" in told["texts"]
    assert "200 == 200" in told["booleans"]
    assert "2 == 1" in told["booleans"]
    assert told["own_words"].startswith("a is 2")
    assert "is {" in told["group"]
    assert ">       assert" in done.outcomes["dicts"].details
    assert not [outcome for outcome in done.run.outcomes if "\x1b" in outcome.message + outcome.details]
    assert "x1b" not in done.text


def test_words_of_a_target_do_not_act_on_the_terminal(checkout: Checkout, server: AnsweringServer) -> None:
    """What a target says is data: no escape sequence of it reaches the operator, no half character ends a worker."""
    evil = "\x1b]0;owned\x07\x1b[2J\r\ud800"
    server.script["/evil"] = Answer({"word": evil})
    checkout.checks("""
        @runbook()
        @pytest.mark.parametrize("n", range(3))
        async def test_evil(api, n):
            word = (await api.get("/evil")).field("word")
            print("printed", word)
            if n == 1:
                pytest.skip(word)
            assert n == 2, word
    """)

    runs = {" ".join(args): partial(checkout.run, *args) for args in [("-vv", "-rA"), ("-s",), ("-n", "2", "-vv")]}
    for done in together(runs).values():
        assert done.status == 1, done.text
        assert done.agrees()
        assert sorted(done.told.values()) == ["failed: target wrong", "passed", "skipped: does not apply"]
        assert "\x1b" not in done.text
        assert "owned" in done.text


def test_warnings_of_checks_that_ran_ahead_are_told(checkout: Checkout, server: AnsweringServer) -> None:
    """A warning is output, too."""
    checkout.checks("""
        @runbook()
        async def test_warns(api):
            await api.get("/w")
            warnings.warn("the old field is going away")
    """)

    done = checkout.run()

    assert done.status == 0
    assert "the old field is going away" in done.text + done.outcomes["warns"].output


def test_no_terminal_plugin_and_quiet_still_end_with_the_verdict(checkout: Checkout) -> None:
    """However little is wanted on the terminal, the verdict is."""
    checkout.checks("""
        @runbook()
        async def test_good(api):
            assert (await api.get("/")).ok
    """)

    without = [("-p", "no:terminal"), ("-qq",), ("-p", "no:logging", "-p", "no:warnings", "-p", "no:cacheprovider")]
    for done in together({" ".join(args): partial(checkout.run, *args) for args in without}).values():
        assert (done.status, done.agrees()) == (0, True), done.text


def test_korean_words_for_korean_operators(checkout: Checkout) -> None:
    """The verdict block is read at three in the morning."""
    checkout.checks("""
        @runbook()
        async def test_bad(api):
            assert not (await api.get("/")).ok
    """)

    done, by_locale = together(
        {"option": partial(checkout.run, "--lang", "ko"), "locale": partial(checkout.run, env={"LANG": "ko_KR.UTF-8"})}
    ).values()

    assert "판정 FAIL  종료 코드 1" in done.text
    assert "다음 조치" in done.text
    assert "판정 FAIL  종료 코드 1" in by_locale.text


def test_what_is_said_while_a_check_runs_is_on_the_terminal(checkout: Checkout) -> None:
    """In a rehearsal the operator is told what to do now; with the check's own output it would come too late."""
    checkout.checks("""
@runbook()
def test_talks(api, request):
    from opsproof.plugin.terminal import sayer
    sayer(request.config)("NOW, by hand: promote it")
    api.get("/")
    print("the check's own words")
""")

    done = checkout.run()

    assert done.status == 0
    assert "NOW, by hand: promote it\n" in done.text
    assert "the check's own words" not in done.text
