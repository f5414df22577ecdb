"""Options of a Locust run that has opsproof in its locustfile."""

from argparse import ArgumentParser
from typing import Any


def add_options(parser: ArgumentParser) -> None:
    """Add opsproof's options to Locust's."""
    group = parser.add_argument_group("opsproof", "Measure from the moment a request was due, and judge by a profile")
    group.add_argument(
        "--allow-writes", metavar="ENVIRONMENT", default="", help="repeat its name to let tasks with the tag write run"
    )
    group.add_argument("--baseline", metavar="FILE", default="", help="an earlier bench.json, for gates with `worse`")
    group.add_argument("--reports", metavar="DIR", default="reports/benchmarks", help="where the result goes")
    group.add_argument("--profiles", metavar="DIR", default="profiles", help="folder of the profiles")
    parser.set_defaults(web_host="127.0.0.1")
    group.add_argument("--lang", choices=["en", "ko"], default="en", help="language of the result")


def selected(options: Any) -> str:
    """The options, or variables LOCUST_TAGS and LOCUST_EXCLUDE_TAGS, that leave tasks out; "" if there are none."""
    given = {"--tags": options.tags, "--exclude-tags": options.exclude_tags}
    return ", ".join(f"{name} {' '.join(tags)}" for name, tags in given.items() if tags)
