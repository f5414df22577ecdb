"""
Read a large dump: hash and full read in one streaming pass, beside `sha256sum` and `pg_restore -f /dev/null` in turn.

A custom dump of the wanted size is made by pg_dump from a table of text that hardly packs. The reading is verified:
SHA-256 equal to that of `sha256sum`, every row counted, no problem found. Both ways run in turn, round after round, in
the same run; what is told is the least time of each, and the peak of our process's memory. Linux only (`/proc`).
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from opsproof.probes.backup import Objects
from opsproof.profile.backups import Backups, Dumps
from opsproof.profile.targets import StoreTarget
from opsproof.rehearsal.stored.reading import read_dump
from opsproof.stack.clusters import Cluster, Grounds, Programs

LARGEST_MEMORY = 150e6
LARGEST_RATIO = 1.5
_ROW = 1 << 20
_FILL = """
    WITH text AS MATERIALIZED (
        SELECT string_agg(md5(random()::text || part), '') AS content FROM generate_series(1, %s) AS part
    )
    INSERT INTO bulk SELECT row, row || content FROM text, generate_series(1, %s) AS row
"""
_CHILD = "--read"


def main() -> int:
    """Measure, and print a table of Markdown; 1 if a reading is wrong or a goal is missed."""
    if sys.argv[1:2] == [_CHILD]:
        return _read(Path(sys.argv[2]), sys.argv[3])
    options = _options()
    with Grounds() as grounds, tempfile.TemporaryDirectory(prefix="opsproof-bench-", dir=options.folder) as folder:
        place = Path(folder)
        place.chmod(0o755)
        rows = _make(grounds, place, options.bytes, options.form)
        size = (place / "bench.dump").stat().st_size
        ours, peers, peaks = [], [], []
        for number in range(options.rounds):
            _say(f"round {number + 1} of {options.rounds}, {size / 1e9:.2f} GB")
            seconds, digest = _peers(grounds.programs, place / "bench.dump")
            peers.append(seconds)
            said, seconds = _ours(place)
            if said[:3] != [digest, str(rows), "well"]:
                print(f"the reading is wrong: {said}, expected {digest} and {rows} rows", file=sys.stderr)
                return 1
            ours.append(seconds)
            peaks.append(int(said[3]))
    ratio = min(ours) / min(peers)
    print(f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| dump | opsproof, one pass | sha256sum, then pg_restore | ratio | peak memory |")
    print("| --: | --: | --: | --: | --: |")
    print(f"| {size / 1e9:.2f} GB | {min(ours):.1f} s | {min(peers):.1f} s | {ratio:.2f} | {max(peaks) / 1e6:.0f} MB |")
    return 0 if ratio <= LARGEST_RATIO and max(peaks) <= LARGEST_MEMORY else 1


def _make(grounds: Grounds, place: Path, size: float, form: str) -> int:
    """Write the dump; the rows that are in it."""
    _say(f"making a dump of about {size / 1e9:.2f} GB")
    cluster = Cluster(grounds, "bench")
    cluster.initialize("--no-data-checksums")
    cluster.start({"wal_level": "minimal", "max_wal_senders": "0", "max_wal_size": "4GB"})
    cluster.sql("CREATE UNLOGGED TABLE bulk (id bigint, content text)")
    # The text repeats only after a megabyte, far beyond what gzip looks back.
    packed = 1.0 if form == "none" else 0.63  # what hexadecimal text packs to
    rows = max(1, int(size / packed / _ROW))
    cluster.sql("ALTER TABLE bulk ALTER content SET STORAGE EXTERNAL")
    cluster.sql(_FILL, _ROW // 32, rows)
    draft = grounds.folder("draft") / "bench.dump"
    where = ["-h", str(cluster.home), "-p", str(cluster.port), "-U", "postgres"]
    cluster.must(
        "pg_dump",
        *where,
        "-Fc",
        "--compress=gzip:1" if form == "gzip" else "--compress=none",
        "-f",
        str(draft),
        seconds=3600,
    )
    cluster.stop("immediate")
    target = place / "bench.dump"
    subprocess.run(["mv", str(draft), str(target)], check=True)
    target.chmod(0o644)
    return rows


def _peers(programs: Programs, dump: Path) -> tuple[float, str]:
    """Seconds of one after the other, and what sha256sum said."""
    started = time.monotonic()
    done = subprocess.run(["sha256sum", str(dump)], check=True, capture_output=True, text=True)
    restored = programs.run("pg_restore", "-f", "/dev/null", str(dump), seconds=3600)
    seconds = time.monotonic() - started
    if not restored.ok:
        raise RuntimeError(f"pg_restore: {restored.err}")
    return seconds, done.stdout.split()[0]


def _ours(place: Path) -> tuple[list[str], float]:
    """What a process of its own said, and the seconds that its reading took."""
    command = [sys.executable, __file__, _CHILD, str(place), "bench.dump"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    *said, seconds = done.stdout.split()
    return said, float(seconds)


def _read(place: Path, name: str) -> int:
    """Read the dump, and print hash, rows, `well`, peak memory in bytes, and seconds."""
    dumps = Dumps(prefix="", freshness=86400, form="custom")
    objects = Objects(StoreTarget(kind="store", url=f"local://{place}"))
    programs = Programs()
    started = time.monotonic()
    reading = read_dump(objects, name, dumps, Backups(dumps=dumps), programs, 3600)
    seconds = time.monotonic() - started
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    well = "well" if not reading.problems else "problems"
    print(reading.sha256, reading.tables.get("public.bulk"), well, peak, seconds)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--bytes", type=float, default=2e9, metavar="N", help="size of the dump (default: 2e9)")
    add("--form", choices=("gzip", "none"), default="gzip", help="how pg_dump packs it (default: gzip)")
    add("--rounds", type=int, default=2, metavar="N", help="how often both are measured (default: 2)")
    add("--folder", default=None, metavar="PATH", help="where there is room (default: the folder for temporary files)")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
