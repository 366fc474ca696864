"""What an archive can be refused for."""

from __future__ import annotations

from dataclasses import dataclass

_SHOWN_CHARACTERS = 200


class ArchiveError(Exception):
    """Nothing was loaded; the message is one line that says which file, why, and the way out."""


class FileRefused(Exception):
    """One file cannot be read; the message is the reason, without the file's name."""


class RowRefused(Exception):
    """One row cannot be loaded.

    Attributes:
        column: the column that shows it; None when the row as a whole does.
        value: what stands there.
        reason: why that cannot be.
        cells: the cells of a CSV's row, where its quotes leave them in doubt.
    """

    def __init__(
        self,
        column: str | None,
        value: str | None,
        reason: str,
        cells: list[str] | None = None,
    ) -> None:
        """Name the cell and the reason."""
        super().__init__(reason)
        self.column, self.value, self.reason, self.cells = column, value, reason, cells


@dataclass(frozen=True)
class Rejection:
    """A row or a file that was not loaded.

    Attributes:
        file: the file, as it was named to the run.
        line: the line that the row begins on, from 1; None for the whole file.
        column: the column that shows it, as the header spells it, where there is one.
        value: what stands there, cut to 200 characters.
        reason: why that cannot be.
    """

    file: str
    line: int | None
    column: str | None
    value: str | None
    reason: str

    @classmethod
    def of_row(cls, file: str, line: int | None, refused: RowRefused) -> Rejection:
        """The rejection of one row."""
        value = refused.value
        shown = None if value is None else value.encode("utf-8", "replace").decode()
        shown = shown and shown[:_SHOWN_CHARACTERS]
        return cls(file, line, refused.column, shown, refused.reason)

    @property
    def sentence(self) -> str:
        """One line for people."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        value = "" if self.value is None else f" ({self.value[:60]!r})"
        column = "" if self.column is None else f"{self.column}: "
        return f"{place}: {column}{self.reason}{value}"
