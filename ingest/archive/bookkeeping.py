"""Records and messages about a run itself: its refused rows and the attachments it found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ingest.archive.csv.exports import Project
from ingest.archive.errors import Rejection
from ingest.archive.project.evidence import SourcedRecord


def refusal_sentences(rejections: list[Rejection]) -> Iterator[str]:
    """One sentence for each file with refused rows, or that was refused itself."""
    by_file: dict[str | None, list[Rejection]] = defaultdict(list)
    for each in rejections:
        by_file[each.file].append(each)
    for file, rejected in by_file.items():
        if rejected[0].line is None:
            more = f" (and {len(rejected) - 1:,} more)" if len(rejected) > 1 else ""
            yield rejected[0].sentence + more
        else:
            rows = "1 row was" if len(rejected) == 1 else f"{len(rejected):,} rows were"
            yield (f"{file}: {rows} refused (see rejected_rows), the first: {rejected[0].sentence}")


def attachments_with_projects(
    attachments: list[SourcedRecord], projects: list[Project]
) -> Iterator[SourcedRecord]:
    """Add the project id to attachments whose zip contains the export of exactly one project."""
    by_zip: dict[str, set[int]] = defaultdict(set)
    for project in projects:
        for each in project.files:
            by_zip[each.file.zip_name].add(project.id)
    for record, origin in attachments:
        found = by_zip.get(origin.source_file.partition("!")[0], set())
        yield {**record, **({"project_id": min(found)} if len(found) == 1 else {})}, origin
