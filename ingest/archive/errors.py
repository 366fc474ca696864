"""The errors of reading archives, and their sentences in a run's summary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from ingest.records import Rejection, RowRefused

__all__ = [
    "ArchiveError", "FileRefused", "Rejection", "RowRefused", "and_others", "first_sentence",
    "refusal_sentences",
]  # fmt: skip


class ArchiveError(Exception):
    """Nothing was loaded. The message is one line: which file, why, and how to fix it."""


class FileRefused(Exception):
    """One file cannot be read. The message is the reason, without the file's name."""


def first_sentence(sentences: Iterable[str]) -> str:
    """The first sentence, and the number of the others."""
    first, *others = sentences
    return and_others(first, len(others))


def and_others(sentence: str, count: int) -> str:
    """A sentence, and the number of others like it."""
    return f"{sentence} (and {count:,} more)" if count else sentence


def refusal_sentences(rejections: list[Rejection]) -> Iterator[str]:
    """One sentence for each file with refused rows, or that was refused itself."""
    by_file: dict[str | None, list[Rejection]] = defaultdict(list)
    for each in rejections:
        by_file[each.file].append(each)
    for file, rejected in by_file.items():
        if rejected[0].line is None:
            yield first_sentence(each.sentence for each in rejected)
        else:
            count = sum(each.count for each in rejected)
            rows = "1 row was" if count == 1 else f"{count:,} rows were"
            yield f"{file}: {rows} refused (see rejected_rows), the first: {rejected[0].sentence}"
