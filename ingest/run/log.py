"""The log of one run: a file in logs/, bounded in size and in number, without secrets."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from ingest.run.redaction import blanked, printable
from ingest.run.settings import ROOT

KEPT_RUNS = 20
MOST_BYTES = 1_000_000  # of one file; a run that says more keeps its last two
_LOGGERS = {"ingest": logging.INFO, "dlt": logging.WARNING}


class RunLog:
    """The log of one run.

    Attributes:
        path: the file; None when none can be written, which is no reason not to load.
    """

    def __init__(self, path: Path | None) -> None:
        """Log into `path`."""
        self.path = path
        self._secrets: set[str] = set()

    def hide(self, *secrets: str | None) -> None:
        """Blank these from now on, in whatever is logged or shown."""
        self._secrets.update(filter(None, secrets))

    def cleaned(self, text: str) -> str:
        """A text as it may be shown: without secrets, and without what steers a terminal."""
        return printable(blanked(text, self._secrets))


@contextmanager
def run_log(into_file: bool = True) -> Iterator[RunLog]:
    """Log what `ingest` and dlt say, by default into a new file, while a run goes on.

    Warnings of ours, such as that a run waits, are also shown on standard error.
    """
    log = RunLog(_new_file() if into_file else None)
    on_screen = logging.StreamHandler(sys.stderr)
    on_screen.addFilter(
        lambda record: record.levelno == logging.WARNING and record.name.startswith("ingest")
    )
    on_screen.setFormatter(_Formatter(log, "%(message)s"))
    handlers: list[logging.Handler] = [on_screen]
    if log.path:
        in_file = _File(log.path, maxBytes=MOST_BYTES, backupCount=1, encoding="utf-8")
        in_file.setFormatter(_Formatter(log, "%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handlers.append(in_file)
    with _attached(handlers):
        yield log


@contextmanager
def _attached(handlers: list[logging.Handler]) -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in _LOGGERS}
    for name, level in _LOGGERS.items():
        logger = logging.getLogger(name)
        logger.setLevel(min(level, logger.level or level))
        for handler in handlers:
            logger.addHandler(handler)
    try:
        yield
    finally:
        for name, level in before.items():
            for handler in handlers:
                logging.getLogger(name).removeHandler(handler)
            logging.getLogger(name).setLevel(level)
        for handler in handlers:
            handler.close()


def _new_file() -> Path | None:
    folder = Path(os.environ.get("INGEST_LOG_PATH") or ROOT / "logs")
    name = f"ingest-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
        _prune(folder)
    except OSError:
        return None
    return folder / name


def _prune(folder: Path) -> None:
    """Keep the latest runs; their names sort by time."""
    runs = sorted(folder.glob("ingest-*.log"))
    for run in runs[:-KEPT_RUNS]:
        for file in (run, run.with_name(run.name + ".1")):
            file.unlink(missing_ok=True)


class _File(RotatingFileHandler):
    """Loses what a full disk has no room for, rather than fill the screen with tracebacks."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, D102 - of logging
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        """Close the file, whether or not its last words could be written."""
        with suppress(OSError):
            super().close()


class _Formatter(logging.Formatter):
    """Cleans a message last, so that a traceback is clean too; the message is one line."""

    def __init__(self, log: RunLog, form: str) -> None:
        super().__init__(form)
        self._log = log

    def format(self, record: logging.LogRecord) -> str:
        return self._log.cleaned(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of logging
        return " ".join(super().formatMessage(record).splitlines())
