"""What is wrong with an archive, said from what was read of it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from opsproof.rehearsal.archive.bases import Base
from opsproof.rehearsal.archive.contents import Listing
from opsproof.rehearsal.archive.histories import History, Label, ancestors
from opsproof.rehearsal.archive.names import Kind, WalName, lsn_text, parse, segment_name
from opsproof.rehearsal.archive.path import Way
from opsproof.rehearsal.archive.segments import Segment


def odd_objects(listing: Listing) -> list[str]:
    """Objects that are nothing of an archive, or cannot be whole by their size."""
    size, said = listing.size, []
    if size & (size - 1) or not 1 << 20 <= size <= 1 << 30:
        said.append(f"most segments have {size} bytes, which is no size of a segment")
    for file in listing.files:
        if file.name is None:
            said.append(f"{file.path} is nothing that PostgreSQL archives")
        elif file.path != file.name.text:
            said.append(f"{file.path} is in a folder of its own, where no restore_command looks")
        elif file.bytes == 0:
            said.append(f"{file.path} is empty")
        elif file.name.kind in (Kind.SEGMENT, Kind.PARTIAL) and file.bytes != size:
            said.append(f"{file.path} has {file.bytes} bytes, a segment has {size}")
    for name, many in Counter(file.name.text for file in listing.files if file.name).items():
        if many > 1:
            said.append(f"{name} is there {many} times")
    return said


def misplaced(listing: Listing, kept: Mapping[str, Segment], systems: set[str]) -> list[str]:
    """
    Segments that are not what their name says.

    Args:
        listing: The archive.
        kept: What was read of its segments, by name.
        systems: Identifiers of the cluster as server, base backups and catalogue say them.
    """
    headers = [one.header for one in kept.values() if one.header]
    if len(systems) > 1:
        return [f"server, base backups and catalogue are of different clusters: {', '.join(sorted(systems))}"]
    most = Counter(header.system for header in headers).most_common(1)
    system = int(next(iter(systems))) if systems else most[0][0] if most else 0
    magic = max(Counter(header.magic for header in headers).items(), key=lambda one: one[1], default=(0, 0))[0]
    histories, _ = listing.histories()
    said = []
    for name, parts in listing.segments().items():
        one = kept.get(name)
        if one is None or one.unread:
            said.append(f"{name} cannot be read: {one.unread if one else 'it was not there any more'}")
            continue
        header = one.header
        if header is None:
            said.append(f"{name} does not begin as WAL does")
            continue
        if header.position != parts.start(listing.size):
            belongs = segment_name(header.timeline, header.position, header.size or listing.size)
            said.append(f"{name} holds what belongs into {belongs}")
        elif header.timeline != (expected := _begins_on(parts, histories, listing.size)):
            said.append(f"{name} begins with WAL of timeline {header.timeline}, expected is that of {expected}")
        if header.system != system:
            said.append(f"{name} is of cluster {header.system}, not of {system}")
        if header.size != listing.size:
            said.append(f"{name} is of a cluster with segments of {header.size} bytes, not {listing.size}")
        if header.magic != magic:
            said.append(f"{name} is of another version of PostgreSQL (magic {header.magic:04X}, others {magic:04X})")
        if one.odd:
            said.append(f"{name}: {one.odd}")
    return said


def _begins_on(name: WalName, histories: Mapping[int, History], size: int) -> int:
    """The timeline at the beginning of a segment: where one is left within it, that one."""
    start = name.start(size)
    return next((number for number, at in ancestors(name.timeline, histories) if start < at), name.timeline)


def changed(
    listing: Listing, way: Way, kept: Mapping[str, Segment], noted: Mapping[str, str], there: Collection[str]
) -> list[str]:
    """
    What is not what was archived, and what is not there any more.

    The newest segment may lack its note: the server may have ended between the two.

    Args:
        listing: The archive.
        way: What a recovery needs.
        kept: What was read of the segments, by name.
        noted: SHA-256 by name, as it was noted when each was archived.
        there: Names in the archive after the notes were read.
    """
    newest = way.steps[-1].name if way.steps else ""
    now = {name: one.sha256 for name, one in kept.items() if one.sha256} | listing.hashes
    needed = {step.name for step in way.steps}
    said = []
    for name in sorted(set(now) | (needed & {file.path for file in listing.files})):
        if name not in noted:
            if name in needed and name != newest:
                said.append(f"{name}: no SHA-256 was noted for it")
        elif now.get(name) != noted[name]:
            found = f"SHA-256 {now[name][:12]}..." if name in now else "another size"
            said.append(f"{name} has {found}, noted was SHA-256 {noted[name][:12]}...")
    first = way.steps[0].start if way.steps else 0
    for name in sorted(set(noted) - set(there)):
        parts = parse(name)
        if parts is None or parts.kind is Kind.HISTORY or parts.start(listing.size) >= first:
            said.append(f"{name} was archived, and is not there any more")
    return said


def unlike(base: Base, label: Label, labels: Mapping[str, Label], wrong: Sequence[str], size: int) -> list[str]:
    """
    What the archive's backup history file of a base backup says otherwise than the backup; none came of a standby.

    Args:
        base: The base backup.
        label: Its own.
        labels: The backup history files that could be read, by name.
        wrong: What is wrong with the others.
        size: Bytes of a segment.
    """
    if not label.of_primary:
        return []
    name = f"{segment_name(label.timeline, label.start, size)}.{label.start % size:08X}.backup"
    found = labels.get(name)
    if found is None:
        told = any(line.startswith(name) for line in wrong)
        return [] if told else [f"{name}, of base backup {base.name}, is not in the archive"]
    if (found.start, found.timeline) != (label.start, label.timeline):
        return [f"{name} and the backup_label of {base.name} name different starts"]
    if found.stop is None:
        return [f"{name} does not say where the backup ended"]
    if label.stop is not None and found.stop > label.stop:
        return [f"{name}: ended at {lsn_text(found.stop)}; {base.name} says {lsn_text(label.stop)}"]
    return []
