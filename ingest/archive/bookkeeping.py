"""What a run tells of itself: refused rows, and attachments that it saw."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ingest.archive.csv.exports import Project
from ingest.archive.errors import Rejection
from ingest.archive.project.evidence import Told
from ingest.archive.project.people import stable_id
from ingest.records import Origin, Record


def refusal_sentences(rejections: list[Rejection]) -> Iterator[str]:
    """One sentence for each file of which something was refused."""
    by_file: dict[str, list[Rejection]] = defaultdict(list)
    for each in rejections:
        by_file[each.file].append(each)
    for file, rejected in by_file.items():
        if rejected[0].line is None:
            more = f" (and {len(rejected) - 1:,} more)" if len(rejected) > 1 else ""
            yield rejected[0].sentence + more
        else:
            rows = "1 row was" if len(rejected) == 1 else f"{len(rejected):,} rows were"
            yield (f"{file}: {rows} refused (see rejected_rows), the first: {rejected[0].sentence}")


def rejected_rows(rejections: list[Rejection], catalogue: list[Record]) -> Iterator[Told]:
    """Records of `rejected_rows`, each refusal once."""
    as_of = {each["file"]: each.get("as_of") for each in catalogue}
    for each in dict.fromkeys(rejections):
        identity = stable_id(
            "rejection", each.file, each.line, each.column, each.value, each.reason
        )
        record: Record = {
            "rejection_id": str(-identity),
            "file": each.file,
            "line": each.line,
            "column_name": each.column,
            "value": each.value,
            "reason": each.reason,
            "as_of": as_of.get(each.file),
        }
        yield record, Origin("archive", each.file, each.line)


def attachments_with_projects(attachments: list[Told], projects: list[Project]) -> Iterator[Told]:
    """Attachments of zips, with the project whose export lies in the same zip."""
    by_zip: dict[str, set[int]] = defaultdict(set)
    for project in projects:
        for each in project.files:
            by_zip[each.file.zip_name].add(project.id)
    for record, origin in attachments:
        found = by_zip.get(origin.source_file.partition("!")[0], set())
        yield {**record, **({"project_id": min(found)} if len(found) == 1 else {})}, origin
