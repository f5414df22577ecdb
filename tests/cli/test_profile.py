"""`opsproof profile`: what an operator types and reads."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

import opsproof
from opsproof.cli import main
from opsproof.profile.schema import schema_text
from opsproof.stack import Stack

Run = Callable[..., tuple[int, str, str]]

STAGING = """\
extends: base.yaml
environment: staging
targets: {api: {url: "${SHOP_URL}", auth: {bearer: "${SHOP_TOKEN}"}}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two profiles of one system; nothing of this shell's language or variables."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "SHOP_URL", "SHOP_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    files = {
        "base.yaml": "system: shop\ntitle: {en: Web shop, ko: 웹 상점}\ntargets: {api: {kind: http, url: http://h}}\n",
        "dr.yaml": "extends: base.yaml\nenvironment: dr\ntargets: {api: null}\n",
        "staging.yaml": STAGING,
    }
    (tmp_path / "profiles/shop").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "profiles/shop" / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `opsproof ...` here; gives exit status, output, errors."""

    def run(*words: str) -> tuple[int, str, str]:
        try:
            status = main(words)
        except SystemExit as exc:
            status = int(exc.code or 0)
        output = capsys.readouterr()
        return status, output.out, output.err

    return run


def test_list_shows_names_titles_and_targets(folder: Path, run: Run) -> None:
    """What can be given to --profile."""
    assert run("profile", "list") == (
        0,
        "NAME          TITLE     TARGETS\nshop/dr       Web shop  none\nshop/staging  Web shop  api\n",
        "",
    )


@pytest.mark.parametrize(("variable", "value"), [("LANG", "ko_KR.UTF-8"), ("LC_ALL", "ko")])
def test_titles_are_korean_for_korean_operators(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """The columns stay in line: a Korean letter takes two places."""
    monkeypatch.setenv(variable, value)

    _, output, _ = run("profile", "list")

    assert output == "NAME          TITLE    TARGETS\nshop/dr       웹 상점  none\nshop/staging  웹 상점  api\n"


def test_list_shows_a_profile_that_is_not_valid_as_such(folder: Path, run: Run) -> None:
    """One bad file hides no other."""
    (folder / "profiles/shop/dr.yaml").write_text("a: [", encoding="utf-8")

    status, output, _ = run("profile", "list")

    assert status == 1
    assert "shop/dr       (not valid; see: opsproof profile check shop/dr)\n" in output
    assert "shop/staging  Web shop" in output


def test_show_masks_secrets(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown may be pasted into a ticket."""
    monkeypatch.setenv("SHOP_URL", "https://me:hunter2@shop.example/api")
    monkeypatch.setenv("SHOP_TOKEN", "hunter3")

    status, output, errors = run("profile", "show", "shop/staging")

    assert (status, errors) == (0, "")
    assert "    url: https://***@shop.example/api\n    auth:\n      bearer: '***'\n" in output
    assert "hunter" not in output


def test_show_works_without_the_variables_and_says_so(folder: Path, run: Run) -> None:
    """A laptop has no token of staging; the rest of the profile is still worth reading."""
    status, output, errors = run("profile", "show", "shop/staging")

    assert status == 0
    assert "url: http://unset.invalid\n" in output
    assert errors == "opsproof: not set: SHOP_URL, SHOP_TOKEN; placeholders are shown in their place\n"


def test_show_of_an_unknown_profile_names_the_nearest(folder: Path, run: Run) -> None:
    """An error without a traceback, on stderr."""
    assert run("profile", "show", "shop/stagin") == (
        1,
        "",
        "opsproof: no profile matches 'shop/stagin'; did you mean shop/staging?\n"
        "  where: profiles\n  next:  use one of: shop/dr, shop/staging\n",
    )


def test_check_takes_unset_variables_as_a_note(folder: Path, run: Run) -> None:
    """So that it is of use on a laptop, and before a merge."""
    assert run("profile", "check") == (
        0,
        "ok     shop/dr\nok     shop/staging  not set: SHOP_URL, SHOP_TOKEN\n",
        "",
    )


def test_strict_check_takes_unset_variables_as_mistakes(folder: Path, run: Run) -> None:
    """For the pipeline that is about to run the gate."""
    assert run("profile", "check", "--strict", "shop/staging") == (
        1,
        "wrong  shop/staging\n",
        "\nthe profile shop/staging is not valid, 2 mistakes:\n"
        "    profiles/shop/staging.yaml:3: targets.api.auth.bearer: the variable SHOP_TOKEN is not set; "
        "set it, or write ${SHOP_TOKEN:-default}\n"
        "    profiles/shop/staging.yaml:3: targets.api.url: the variable SHOP_URL is not set; "
        "set it, or write ${SHOP_URL:-default}\n"
        "  where: profiles/shop/staging.yaml\n"
        "  next:  set what is missing in this shell or in the settings of the CI job\n",
    )


def test_check_goes_on_after_a_profile_that_is_wrong(folder: Path, run: Run) -> None:
    """All mistakes of all profiles in one run."""
    (folder / "profiles/shop/base.yaml").write_text("system: shop\nhealht: {}\n", encoding="utf-8")

    status, output, errors = run("profile", "check", "shop/*")

    assert (status, output) == (1, "wrong  shop/dr\nwrong  shop/staging\n")
    assert errors.count("profiles/shop/base.yaml:2: healht: unknown key; did you mean `health`?") == 2


def test_check_of_a_pattern_that_matches_nothing_is_wrong(folder: Path, run: Run) -> None:
    """Nothing checked is no success."""
    status, output, errors = run("profile", "check", "nothing/*")

    assert (status, output) == (1, "")
    assert errors.startswith("opsproof: no profile matches 'nothing/*'\n")


@pytest.fixture
def running_stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    """A stack named as `opsproof stack up` names it, in a folder of its own."""
    folder = tempfile.mkdtemp(dir="/tmp")
    Path(folder).chmod(0o711)  # PostgreSQL runs as another user
    monkeypatch.setattr(tempfile, "tempdir", folder)
    stack = Stack.start(["ingest"], name="default")
    yield stack
    stack.stop()
    shutil.rmtree(folder)


def test_an_embedded_profile_takes_its_variables_from_the_running_stack(
    folder: Path, run: Run, running_stack: Stack
) -> None:
    """`opsproof stack up` in one terminal, `opsproof profile show` in another."""
    (folder / "profiles/shop/embedded.yaml").write_text(
        "extends: base.yaml\nenvironment: embedded\ntargets: {api: {url: '${INGEST_URL}'}}\n", encoding="utf-8"
    )

    _, output, errors = run("profile", "show", "shop/embedded")

    assert f"url: {running_stack.variables['INGEST_URL']}\n" in output
    assert errors == ""


def test_an_embedded_profile_without_a_stack_is_still_checked(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has to be started to validate."""
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    (folder / "profiles/shop/embedded.yaml").write_text(
        "extends: base.yaml\nenvironment: embedded\ntargets: {api: {url: '${INGEST_URL}'}}\n", encoding="utf-8"
    )

    assert run("profile", "check", "*/embedded") == (0, "ok     shop/embedded  not set: INGEST_URL\n", "")


def test_schema_is_written_next_to_the_systems(folder: Path, run: Run) -> None:
    """Where `# yaml-language-server: $schema=../schema.json` finds it."""
    assert run("profile", "schema") == (0, "profiles/schema.json\n", "")
    assert (folder / "profiles/schema.json").read_text(encoding="utf-8") == schema_text()


def test_schema_can_be_printed(folder: Path, run: Run) -> None:
    """For a pipe."""
    status, output, _ = run("profile", "schema", "--print")

    assert (status, output) == (0, schema_text())
    assert not (folder / "profiles/schema.json").exists()


def test_a_schema_that_cannot_be_written_is_an_error_in_words(folder: Path, run: Run) -> None:
    """Usually the wrong folder."""
    assert run("profile", "schema", "--root", "elsewhere") == (
        1,
        "",
        "opsproof: the schema cannot be written: No such file or directory\n  where: elsewhere/schema.json\n"
        "  next:  name the folder of the profiles with --root, or use --print\n",
    )


def test_the_root_can_be_named(folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """From any working folder."""
    monkeypatch.chdir("/")

    assert run("profile", "check", "shop/dr", "--root", str(folder / "profiles")) == (0, "ok     shop/dr\n", "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["--help"], "opsproof profile check               validate every profile", id="opsproof"),
        pytest.param(["profile", "--help"], "opsproof profile show ingest/staging       what staging", id="profile"),
        pytest.param(["profile", "check", "--help"], "an unset variable or unreadable file: is a mistake", id="check"),
        pytest.param(["--version"], f"opsproof {opsproof.__version__}", id="version"),
    ],
)
def test_help_teaches_by_examples(run: Run, words: list[str], expected: str) -> None:
    """Someone who has never seen the command gets on with its help alone."""
    status, output, _ = run(*words)

    assert status == 0
    assert expected in output


@pytest.mark.parametrize("words", [[], ["profile"], ["profil"], ["profile", "show"], ["profile", "check", "--strickt"]])
def test_a_command_that_is_not_understood_exits_with_2(run: Run, words: list[str]) -> None:
    """Apart from 1, which is about the profiles."""
    status, output, errors = run(*words)

    assert (status, output) == (2, "")
    assert errors.startswith("usage: opsproof")


def test_help_imports_nothing_heavy() -> None:
    """The command answers at once."""
    program = """
        import sys
        from opsproof.cli import main
        try:
            main(["profile", "--help"])
        except SystemExit:
            heavy = {"pydantic", "yaml", "httpx", "psycopg", "redis", "pytest"} & sys.modules.keys()
            sys.exit(f"imported: {heavy}" if heavy else 0)
    """

    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
    )

    assert (result.returncode, result.stderr) == (0, "")


def test_a_reader_that_goes_away_is_no_traceback(folder: Path) -> None:
    """`opsproof profile schema --print | head -1`."""
    program = f'"{sys.executable}" -c "import sys; from opsproof.cli import main; sys.exit(main())"'

    result = subprocess.run(
        f"{program} profile schema --print | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(opsproof.__file__).parents[1])},
    )

    assert (result.stdout, result.stderr) == ("{\n", "")


def test_the_written_schema_is_a_schema(folder: Path, run: Run) -> None:
    """Editors say nothing about a broken one."""
    _, output, _ = run("profile", "schema", "--print")

    jsonschema.Draft202012Validator.check_schema(json.loads(output))
