"""bench.json comes back as it was written; what cannot be read is refused before anything is measured against it."""

import json

import pytest
from bench_parts import benchmark, requests

from opsproof.benchmark.files import read_benchmark
from opsproof.errors import OpsproofError

FACT = benchmark(requests(good=[0.1] * 100, bad=[0.2], ages=[3.0]))


def written(folder, change=lambda data: None):
    data = FACT.model_dump(mode="json")
    change(data)
    (folder / "bench.json").write_text(json.dumps(data), encoding="utf-8")
    return folder / "bench.json"


def test_it_comes_back_from_its_file_or_folder(tmp_path):
    file = written(tmp_path)

    assert read_benchmark(file) == read_benchmark(tmp_path) == FACT


def spoil(data):
    data["requests"][0]["good"] = "HISTX"


def spoil_second(data):
    data["seconds"][0]["times"][""] = "HISTX"


def forget(data):
    del data["plan"]["rate"]


@pytest.mark.parametrize(
    ("change", "text"),
    [(spoil, "not a histogram"), (spoil_second, "not a histogram"), (forget, "plan.rate: Field required")],
)
def test_a_spoiled_file_is_refused_with_its_place(tmp_path, change, text):
    file = written(tmp_path, change)

    with pytest.raises(OpsproofError, match=text) as refused:
        read_benchmark(file)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "\x00", '{"a": '])
def test_any_other_file_is_refused(tmp_path, text):
    (tmp_path / "other.json").write_text(text, encoding="utf-8")

    with pytest.raises(OpsproofError, match="not a benchmark that this opsproof can read"):
        read_benchmark(tmp_path / "other.json")


def test_no_file_is_refused(tmp_path):
    with pytest.raises(OpsproofError, match="no benchmark: No such file"):
        read_benchmark(tmp_path)
