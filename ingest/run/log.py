"""The log of a run: one file in logs/, without secrets. Size and number of files are limited."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from ingest.run.redaction import redacted, without_control_characters
from ingest.run.settings import ROOT

MAX_LOG_FILES = 20
MAX_LOG_BYTES = 1_000_000  # per file; a longer log keeps the current file and the one before it
_LOGGERS = {"ingest": logging.INFO, "dlt": logging.WARNING}


class RunLog:
    """The log of one run.

    Attributes:
        path: the log file; None when it cannot be written. The run goes on without a log.
    """

    def __init__(self, path: Path | None) -> None:
        """Log to `path`."""
        self.path = path
        self._secrets: set[str] = set()

    def hide(self, *secrets: str | None) -> None:
        """Redact these secrets from now on in everything that is logged or displayed."""
        self._secrets.update(filter(None, secrets))

    def sanitised(self, text: str) -> str:
        """Return a text that is safe to display: no secrets, no terminal control characters."""
        return without_control_characters(redacted(text, self._secrets))


@contextmanager
def run_log(into_file: bool = True) -> Iterator[RunLog]:
    """Log the messages of `ingest` and dlt during a run, by default to a new file.

    Warnings from `ingest`, such as waiting for a lock, also go to standard error.
    """
    log = RunLog(_new_file() if into_file else None)
    on_screen = logging.StreamHandler(sys.stderr)
    on_screen.addFilter(
        lambda record: record.levelno == logging.WARNING and record.name.startswith("ingest")
    )
    on_screen.setFormatter(_Formatter(log, "%(message)s"))
    handlers: list[logging.Handler] = [on_screen]
    if log.path:
        in_file = _File(log.path, maxBytes=MAX_LOG_BYTES, backupCount=1, encoding="utf-8")
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
    """Delete all but the latest log files; their names sort by time."""
    runs = sorted(folder.glob("ingest-*.log"))
    for run in runs[:-MAX_LOG_FILES]:
        for file in (run, run.with_name(run.name + ".1")):
            file.unlink(missing_ok=True)


class _File(RotatingFileHandler):
    """Drop messages silently when the disk is full, instead of printing a traceback for each."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, D102 - logging's name
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        """Close the file, even if the last messages cannot be flushed."""
        with suppress(OSError):
            super().close()


class _Formatter(logging.Formatter):
    """Put a message on one line, and sanitise the result, traceback included."""

    def __init__(self, log: RunLog, form: str) -> None:
        super().__init__(form)
        self._log = log

    def format(self, record: logging.LogRecord) -> str:
        return self._log.sanitised(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return " ".join(super().formatMessage(record).splitlines())
