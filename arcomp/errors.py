"""Every error arcomp raises on purpose.

One line each: what is wrong, why, and what to do about it. The command line prints that line and
exits with status 1; a program catches :class:`ArcompError` or the subclass it can deal with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


class ArcompError(Exception):
    """Base of all errors raised on purpose.

    Attributes:
        cause: what is wrong, in a few words, without the file's name.
        remedy: what the user can do about it; may be empty.
        path: the file concerned, where there is one.
    """

    def __init__(self, cause: str, *, remedy: str = "", path: str | None = None) -> None:
        self.cause = cause
        self.remedy = remedy
        self.path = path
        super().__init__(cause)

    def __str__(self) -> str:
        line = f"{self.path}: {self.cause}" if self.path else self.cause
        return f"{line}; {self.remedy}" if self.remedy else line

    def at(self, path: str) -> ArcompError:
        """The same error with the file's name filled in, unless it already has one."""
        if self.path is None:
            self.path = path
        return self


class PictureError(ArcompError):
    """A picture cannot be read, or is of a kind that is not supported."""


class LossyError(PictureError):
    """A picture lost information when it was made, which has to be allowed."""


class OutputError(ArcompError):
    """An output cannot be written, exists already, or cannot hold the pixels without loss."""


class ExistsError(OutputError):
    """There is a file of an output's name already."""


class BusyError(OutputError):
    """Another process is at work on a file of an output's name."""


class FormatError(ArcompError):
    """A file is not an arcomp file, is damaged, or is of a version or with fields not known here."""


class LimitError(ArcompError):
    """A file needs more memory, or claims more pixels, than is allowed here.

    Attributes:
        limit: which limit that is, "pixels" or "memory". Its option and its argument are called after it.
        least: what would be enough, in pixels or bytes; None: that is not known.
    """

    def __init__(
        self, cause: str, *, limit: str = "memory", least: int | None = None, remedy: str = "raise {}"
    ) -> None:
        """Args:
        remedy: with `{}` where the limit is named, as an option of the command line.
        """
        self.limit, self.least, self._remedy = limit, least, remedy
        amount = "" if least is None else f" {least}" if limit == "pixels" else f" {-(-least >> 20)}M"
        super().__init__(cause, remedy=remedy.format(f"--max-{limit}{amount}"))

    def in_python(self, function: str | None = None) -> None:
        """Name the limit as an argument of Python's functions.

        Args:
            function: which takes it, where the one that was called does not; "": none does.
        """
        argument = f"max_{self.limit}=" + ("" if self.least is None else str(self.least))
        self.remedy = self._remedy.format(argument)
        if function is not None:
            self.remedy = f"{function} takes {argument}" if function else "use a machine with more memory"


class VerificationError(FormatError):
    """What was decoded is not what was encoded."""


class ModelError(ArcompError):
    """A model is unknown, its weights are missing, damaged or different, or it refuses the input."""


class ExactnessError(ArcompError):
    """This machine's arithmetic fails a known-answer test, or a bound that exactness rests on is not met."""


class TrainingError(ArcompError):
    """Training cannot start or go on: data, recipe, checkpoint, or a loss that is not a number."""


@contextmanager
def said_of(path: str) -> Iterator[None]:
    """Errors raised inside name this file, unless they name one already."""
    try:
        yield
    except ArcompError as error:
        error.at(path)
        raise


def has_torch() -> bool:
    """Whether torch is installed, for what can be left out without it."""
    return find_spec("torch") is not None


WITH_TORCH = ("torch", "msgspec")
"""What the extra ``torch`` installs."""


@contextmanager
def needs_torch(what: str) -> Iterator[None]:
    """Where torch is imported for what cannot do without it.

    Args:
        what: needs it, as the message begins: "training".

    Raises:
        ArcompError: torch is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in WITH_TORCH:
            raise
        raise ArcompError(f"{what} needs torch", remedy="install it with pip install 'arcomp[torch]'") from None
