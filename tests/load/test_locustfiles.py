"""What every locustfile has: the one line, tasks that say whether they write, and names and checks of all requests."""

import ast
from pathlib import Path

import pytest
from locustfile_runs import REPOSITORY

from opsproof.stack.parts import ALL

FILES = sorted((REPOSITORY / "load").glob("*.py"))
WRITING = {"post", "put", "patch", "delete"}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _users(path: Path) -> list[ast.ClassDef]:
    return [
        node
        for node in _tree(path).body
        if isinstance(node, ast.ClassDef) and "FastHttpUser" in map(ast.unparse, node.bases)
    ]


def _methods(user: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in user.body if isinstance(node, ast.FunctionDef)}


def _tags(method: ast.FunctionDef) -> list[str]:
    """The tags of a task; of another method none."""
    calls = [node for node in method.decorator_list if isinstance(node, ast.Call)]
    if not any(ast.unparse(call.func) == "task" for call in calls):
        return []
    return [ast.literal_eval(tag) for call in calls if ast.unparse(call.func) == "tag" for tag in call.args]


def _requests(node: ast.AST) -> list[ast.Call]:
    calls = [call for call in ast.walk(node) if isinstance(call, ast.Call)]
    return [call for call in calls if ast.unparse(call.func).startswith("self.client.")]


def _writes(methods: dict[str, ast.FunctionDef], name: str) -> bool:
    """Whether a method, or one of its object that it mentions, sends what is no GET."""
    if any(ast.unparse(call.func).rpartition(".")[2] in WRITING for call in _requests(methods[name])):
        return True
    mentioned = {ast.unparse(node) for node in ast.walk(methods[name]) if isinstance(node, ast.Attribute)}
    return any(_writes(methods, other) for other in methods if f"self.{other}" in mentioned)


def test_there_is_one_for_each_system():
    """The name of the file is that of the system; BENCH_PROFILE=staging takes it from there."""
    assert {path.stem for path in FILES} == set(ALL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_one_line_attaches(path):
    """Without it Locust alone would say how it went."""
    lines = [ast.unparse(node) for node in _tree(path).body if isinstance(node, ast.Expr)]

    assert lines.count("attach()") == 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_user_has_something_to_read(path):
    """A user of writing tasks alone would have nothing to do without --allow-writes."""
    assert _users(path)
    for user in _users(path):
        assert ["read"] in [_tags(method) for method in _methods(user).values()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_task_that_sends_anything_but_get_says_that_it_writes(path):
    """What has no tag would run in an environment that allows no writes."""
    for user in _users(path):
        methods = _methods(user)
        tasks = {name: _tags(method) for name, method in methods.items() if _tags(method)}
        wanted = {name: ["write" if _writes(methods, name) else "read"] for name in tasks}

        assert tasks == wanted
        assert all(name in tasks or name.startswith("_") for name in methods)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_request_has_a_name_and_a_look_at_its_answer(path):
    """A path with an id in it would be a row of its own, and a 200 with a wrong body a success."""
    lacking = [
        ast.unparse(call)
        for call in _requests(_tree(path))
        if not {"name", "catch_response"} <= {keyword.arg for keyword in call.keywords}
    ]

    assert _requests(_tree(path))
    assert lacking == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_task_sleeps(path):
    """Arrivals say when to go on; a user that sleeps is one that others wait for."""
    calls = {ast.unparse(node.func) for node in ast.walk(_tree(path)) if isinstance(node, ast.Call)}

    assert [call for call in calls if "sleep" in call] == []
