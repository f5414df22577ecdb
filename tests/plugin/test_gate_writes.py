"""A check that writes asks twice for leave, never starts early, and takes back what it wrote, whatever happens."""

import signal
from collections.abc import Callable
from functools import partial

import pytest
from answering import Answer, AnsweringServer, Request
from checkout import Checkout, together, until

ALLOWED = "policy: {writes: true, check_deadline: 1s}"
WRITING = """
async def written(api, clean_up, run_id, then=""):
    item = f"/items/{run_id}"
    clean_up.add(item, lambda: api.delete(item), lambda: gone(api, item))
    assert (await api.post(item, json={"n": 1})).ok
    return item

async def gone(api, item):
    return (await api.get(item)).status == 404

@pytest.mark.smoke
@runbook()
@writes("one item, deleted again")
async def test_written(api, clean_up, run_id):
    item = await written(api, clean_up, run_id)
    assert (await api.get(item)).ok
    THEN
"""
READING = """
@runbook()
async def test_reading(api):
    assert (await api.get("/state")).ok
"""


@pytest.fixture
def items(server: AnsweringServer) -> dict[str, bytes]:
    """What the server stores under /items/; POST, GET and DELETE do what they say."""
    stored: dict[str, bytes] = {}

    def answer(request: Request) -> Answer:
        if request.method == "POST":
            stored[request.path] = request.body
        if request.method == "DELETE":
            return Answer({"deleted": stored.pop(request.path, b"").decode()})
        return Answer({"item": stored[request.path].decode()}) if request.path in stored else Answer({}, status=404)

    server.by_prefix["/items/"] = answer
    return stored


@pytest.fixture
def storing(server: AnsweringServer, items: dict[str, bytes]) -> Callable[[Request], Answer]:
    """The answers of the store, for scripts that bend them."""
    script = server.by_prefix["/items/"]
    assert callable(script)
    return script


def test_writing_needs_the_policy_and_the_operator(
    checkout: Checkout, server: AnsweringServer, storing: Callable[[Request], Answer]
) -> None:
    """Neither alone is leave; the reason says what is missing, and nothing was sent."""
    checkout.checks(WRITING.replace("THEN", "") + READING)

    checkout.profile("policy: {writes: false}")
    forbidden = checkout.run("--allow-writes", "local")
    checkout.profile(ALLOWED)
    not_asked, other = together(
        {"not asked": checkout.run, "other": partial(checkout.run, "--allow-writes", "production")}
    ).values()

    for done, reason in [
        (forbidden, "it writes (one item, deleted again), and policy.writes of demo/local is false"),
        (not_asked, "it writes (one item, deleted again); to allow it: --allow-writes local"),
        (other, "it writes (one item, deleted again); to allow it: --allow-writes local"),
    ]:
        assert (done.status, done.told) == (0, {"written": "skipped: not allowed", "reading": "passed"})
        assert done.outcomes["written"].message == reason
    assert set(server.paths) == {"GET /state"}


def test_what_does_not_say_that_it_writes_cannot(checkout: Checkout, server: AnsweringServer) -> None:
    """HTTP reads are GET and HEAD; a forgotten mark is a broken check, not a write."""
    checkout.profile(ALLOWED)
    checkout.checks("""
        @runbook()
        async def test_unmarked(api):
            assert (await api.post("/items/x", json={})).ok

        @runbook()
        def test_unmarked_plain(api):
            assert api.delete("/items/x").ok
    """)

    done = checkout.run("--allow-writes", "local")

    assert (done.status, set(done.told.values())) == (6, {"unknown: check broken"})
    assert "POST writes, and this check may not write here" in done.outcomes["unmarked"].message
    assert "Mark the check with @writes" in done.block
    assert server.requests == []


def test_a_write_waits_for_its_turn_reads_afresh_and_is_seen_to_be_gone(
    checkout: Checkout, server: AnsweringServer, items: dict[str, bytes], storing: Callable[[Request], Answer]
) -> None:
    """A check before it must not see its item, nor must it see an answer from before its item."""
    checkout.profile(ALLOWED)
    before = READING.replace("async def test_reading", "def test_before").replace(
        "(await api.get", "time.sleep(0.3) or (api.get"
    )
    checkout.checks(before + WRITING.replace("THEN", 'assert (await api.get("/state")).ok') + READING)

    done = checkout.run("--allow-writes", "local")

    assert (done.status, set(done.told.values())) == (0, {"passed"}), done.text
    order = [path for path in server.paths if "/items/" in path]
    assert [path.split()[0] for path in order] == ["POST", "GET", "DELETE", "GET"]
    assert server.paths.index(order[0]) > server.paths.index("GET /state")
    assert server.asked("/state") == 2
    assert (items, done.run.id in order[0]) == ({}, True)
    assert len(done.outcomes["written"].observations) == 5


PLAIN = """
@runbook()
@writes("one item, deleted again")
def test_written(api, clean_up, run_id):
    item = f"/items/{run_id}"
    clean_up.add(item, lambda: api.delete(item), lambda: api.get(item).status == 404)
    assert api.post(item, json={}).ok
    THEN
"""
ENDS = {
    "failed": ("assert 1 == 2", "failed: target wrong"),
    "raised": ("raise ValueError(1)", "unknown: check broken"),
    "late": ("await asyncio.sleep(30)", "unknown: timed out"),
    "skipped": ("pytest.skip('no need')", "skipped: does not apply"),
    "exited": ("sys.exit(0)", "unknown: check broken"),
    "plain_good": ("pass", "passed"),
    "plain_failed": ("assert 1 == 2", "failed: target wrong"),
    "plain_late": ("while True: api.get('/slow', fresh=True)", "unknown: timed out"),
}


def one_of_many(name: str, then: str) -> str:
    """A writing check under a name of its own, with an item of its own."""
    source = PLAIN if name.startswith("plain") else WRITING
    return (
        source.replace("THEN", then)
        .replace("test_written", f"test_{name}")
        .replace("/items/{run_id}", f"/items/{name}")
        .replace("written(api, clean_up, run_id, then=", f"{name}_written(api, clean_up, run_id, then=")
        .replace("await written(", f"await {name}_written(")
    )


def test_it_is_taken_back_however_the_check_ends(
    checkout: Checkout, server: AnsweringServer, items: dict[str, bytes], storing: Callable[[Request], Answer]
) -> None:
    """A smoke test that leaves its items behind is itself an incident; plain checks dead-locked here once."""
    server.script["/slow"] = Answer({}, delay=0.05)
    checkout.profile(ALLOWED)
    checkout.checks("".join(one_of_many(name, then) for name, (then, _) in ENDS.items()))

    done = checkout.run("--allow-writes", "local")

    assert done.told == {name: told for name, (_, told) in ENDS.items()}, done.text
    assert (items, done.agrees()) == ({}, True)
    for name in ENDS:
        mine = [path.split()[0] for path in server.paths if path.endswith(f"/items/{name}")]
        assert mine[:1] + mine[-2:] == ["POST", "DELETE", "GET"]


def test_what_could_not_be_taken_back_fails_the_check_and_is_named(
    checkout: Checkout, server: AnsweringServer, items: dict[str, bytes], storing: Callable[[Request], Answer]
) -> None:
    """A clean-up is verified; someone must remove what is left."""
    kept = {"refused": Answer({}, status=500), "overdue": Answer({}, delay=3.0)}

    def answer(request: Request) -> Answer:
        if request.method == "DELETE":
            return next(answer for word, answer in kept.items() if word in request.path)
        return storing(request)

    server.by_prefix["/items/"] = answer
    checkout.profile(ALLOWED, api="timeout: 800ms")
    names = ["refused", "overdue", "plain_refused", "plain_overdue"]
    checkout.checks("".join(one_of_many(name, "pass") for name in names))

    done = checkout.run("--allow-writes", "local")

    assert (done.status, done.told) == (1, dict.fromkeys(names, "failed: target wrong"))
    for name in names:
        words = "is still there" if "refused" in name else "(connected, but no whole answer within "
        assert done.outcomes[name].message.startswith(f"left behind: /items/{name}")
        assert words in done.outcomes[name].message
        assert f"/items/{name}" in done.block


@pytest.mark.parametrize("kind", ["async", "plain", "cleaning"])
def test_an_interrupt_takes_back_what_was_written(
    checkout: Checkout,
    server: AnsweringServer,
    items: dict[str, bytes],
    storing: Callable[[Request], Answer],
    kind: str,
) -> None:
    """Ctrl-C is no reason to leave anything behind, also while the check is just cleaning up."""
    waiting = {
        "async": (WRITING, "await asyncio.sleep(60)", lambda: any("GET /items" in path for path in server.paths)),
        "plain": (PLAIN, "time.sleep(60)", lambda: any("POST /items" in path for path in server.paths)),
        "cleaning": (WRITING, "", lambda: any("DELETE /items" in path for path in server.paths)),
    }
    source, then, when = waiting[kind]
    if kind == "cleaning":
        slow = Answer({}, delay=0.5)

        def answer(request: Request) -> Answer:
            done = storing(request)
            return slow if request.method == "DELETE" else done

        server.by_prefix["/items/"] = answer
    checkout.profile(ALLOWED.replace("1s", "60s"))
    checkout.checks(source.replace("THEN", then) + READING)

    done = checkout.start("--allow-writes", "local").interrupt(when)

    assert (done.status, done.agrees()) == (2, True), done.text
    assert (items, done.told["written"]) == ({}, "passed" if kind == "cleaning" else "unknown: interrupted")
    assert server.paths[-1].startswith("GET /items/")


@pytest.mark.parametrize("source", [WRITING, PLAIN], ids=["async", "plain"])
def test_an_interrupt_does_not_hide_what_is_left_behind(
    checkout: Checkout,
    server: AnsweringServer,
    items: dict[str, bytes],
    storing: Callable[[Request], Answer],
    source: str,
) -> None:
    """The run ends as an interrupted one and says what to remove by hand."""
    server.by_prefix["/items/"] = lambda request: (
        Answer({}, status=500) if request.method == "DELETE" else storing(request)
    )
    checkout.profile(ALLOWED.replace("1s", "60s"))
    sleeping = "await asyncio.sleep(60)" if source is WRITING else "time.sleep(60)"
    checkout.checks(source.replace("THEN", sleeping) + READING)

    done = checkout.start("--allow-writes", "local").interrupt(lambda: bool(items))

    (item,) = items
    assert (done.status, done.agrees()) == (2, True)
    assert done.outcomes["written"].message.endswith(f"left behind: {item} is still there")
    assert "Remove by hand what is left behind" in done.block


def test_a_second_interrupt_does_not_wait_for_the_clean_up(
    checkout: Checkout, server: AnsweringServer, items: dict[str, bytes], storing: Callable[[Request], Answer]
) -> None:
    """The operator decides to leave it there, and reads what it is."""
    server.by_prefix["/items/"] = lambda request: (
        Answer({}, delay=30.0) if request.method == "DELETE" else storing(request)
    )
    checkout.profile(ALLOWED.replace("1s", "60s"), api="timeout: 60s")
    checkout.checks(WRITING.replace("THEN", "await asyncio.sleep(60)"))

    running = checkout.start("--allow-writes", "local")
    until(lambda: any("GET /items" in path for path in server.paths))
    running.process.send_signal(signal.SIGINT)
    done = running.interrupt(lambda: any("DELETE /items" in path for path in server.paths))

    (item,) = items
    assert (done.status, done.agrees()) == (2, True), done.text
    assert f"taking back what was written: {item} (Ctrl-C leaves it there)" in done.text
    assert done.outcomes["written"].message.endswith(f"left behind: {item}: cleaning up was interrupted")
    assert "Traceback" not in done.text


def test_writes_are_not_repeated_by_a_replay(
    checkout: Checkout, server: AnsweringServer, items: dict[str, bytes], storing: Callable[[Request], Answer]
) -> None:
    """The evidence of a writing check is judged again without writing."""
    checkout.profile(ALLOWED)
    checkout.checks(WRITING.replace("THEN", ""))
    first = checkout.run("--allow-writes", "local")
    asked = len(server.requests)

    again = checkout.run(f"--replay={first.folder}", profile=None)

    assert (first.status, again.status, again.told) == (0, 0, {"written": "passed"}), again.text
    assert len(server.requests) == asked


def test_a_killed_gate_leaves_whole_reports_only(checkout: Checkout, server: AnsweringServer) -> None:
    """kill -9 cannot be caught; the next run is not confused by what it left."""
    server.script["/slow"] = Answer({}, delay=30.0)
    checkout.checks("""
        @runbook()
        async def test_slow(api):
            assert (await api.get("/slow")).ok
    """)
    running = checkout.start()
    killed = running.interrupt(lambda: server.asked("/slow") == 1, signal.SIGKILL)

    until(lambda: server.connections == 0)
    del server.script["/slow"]
    done = checkout.run()

    assert (killed.status, killed.folder) == (-signal.SIGKILL, None)
    assert (done.status, done.told) == (0, {"slow": "passed"})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["--allow-writes=prod"], "no profile is of that environment", id="allow-writes"),
        pytest.param(["--expect-version="], "names no version", id="no-version"),
        pytest.param(["--expect-version=demo="], "names no version", id="no-version-of-a-system"),
    ],
)
def test_a_mistyped_option_is_refused(checkout: Checkout, arguments: list[str], words: str) -> None:
    """A gate that quietly checks less, or rolls back for a pipeline's mistake, is worse than none."""
    checkout.checks("""
        @runbook()
        async def test_good(api):
            assert (await api.get("/good")).ok
    """)

    done = checkout.run(*arguments)

    assert done.status == 4, done.text
    assert words in done.text
    assert "Traceback" not in done.text
