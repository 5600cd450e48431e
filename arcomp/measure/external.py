"""Any codec that is a command: one template to encode, one to decode, run without a shell."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from arcomp.errors import ArcompError, PictureError
from arcomp.formats import read
from arcomp.measure.codecs import NOT_INSTALLED, Codec, Pixels

HELP = (
    "another codec: a command that encodes, a bar, one that decodes, such as "
    '"flif=flif -e {input} {output.flif}|flif -d {input.flif} {output}"; may be given several times'
)
FORMATS = {"": ".png", ".png": ".png", ".ppm": ".ppm"}
"""Pictures that commands are given and leave, by what stands in the template; gray as .ppm is named .pgm."""
_FIELD = re.compile(r"\{(input|output)(\.\w+)?\}")


class ExternalError(ArcompError):
    """A command failed, or left nothing."""


class External(Codec):
    """A codec that is two commands.

    The time of an encoding includes that of writing the picture for it and of reading the file it leaves, and so on:
    what is measured suits codecs that take much longer.

    Args:
        spec: ``NAME=ENCODE|DECODE``, each with {input} and {output}: pictures are PNG, or PPM as {input.ppm} or
            {output.ppm}; coded files have the ending that is given, as in {output.jxl}.

    Raises:
        ArcompError: it is not like that.
    """

    def __init__(self, spec: str) -> None:
        name, equals, commands = spec.partition("=")
        self.name, self.spec = name.strip(), spec
        parts = _split(commands)
        if not (self.name and equals) or len(parts) != 2 or not all(parts):
            raise ArcompError(f"{spec!r} is not NAME=ENCODE|DECODE")
        self.encoder, self.decoder = parts
        for what, words in (("encodes", self.encoder), ("decodes", self.decoder)):
            fields = {field for word in words for field, _ in _FIELD.findall(word)}
            if fields != {"input", "output"}:
                raise ArcompError(f"{self.name}: what {what} needs both {{input}} and {{output}}")
        pictures = (("input", self.encoder), ("output", self.decoder))
        for ending in (e for field, words in pictures for e in _endings(field, words)):
            if ending not in FORMATS:
                raise ArcompError(f"{self.name}: pictures are .png or .ppm, not {ending}")

    def available(self) -> str:
        return "" if all(shutil.which(words[0]) for words in (self.encoder, self.decoder)) else NOT_INSTALLED

    def encode(self, pixels: Pixels) -> bytes:
        from PIL import Image

        def write(path: Path, ending: str) -> Path:
            own = FORMATS[ending]
            path = path.with_suffix(".pgm" if own == ".ppm" and pixels.shape[2] == 1 else own)
            Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(path, compress_level=1)
            return path

        with tempfile.TemporaryDirectory() as folder:
            paths = {
                _field("input", e): str(write(Path(folder, "picture"), e)) for e in _endings("input", self.encoder)
            }
            coded = _outputs(self.encoder, Path(folder, "coded"), {})
            self._run(self.encoder, paths | coded, folder)
            return _first(coded).read_bytes()

    def decode(self, data: bytes) -> Pixels:
        with tempfile.TemporaryDirectory() as folder:
            paths = {}
            for ending in _endings("input", self.decoder):
                path = Path(folder, "coded" + ending)
                path.write_bytes(data)
                paths[_field("input", ending)] = str(path)
            pictures = _outputs(self.decoder, Path(folder, "picture"), FORMATS)
            self._run(self.decoder, paths | pictures, folder)
            try:
                pixels: Pixels = read(_first(pictures)).pixels[0]
            except PictureError as error:
                raise ExternalError(f"{self.decoder[0]} left no picture: {error.cause}") from error
            return pixels

    def _run(self, words: list[str], paths: Mapping[str, str], folder: str) -> None:
        """Run a command with files in place of its fields.

        Raises:
            ExternalError: it cannot be started, or says that it failed.
        """
        command = [_FIELD.sub(lambda field: paths[field[0]], word) for word in words]
        # Not in the temporary folder: a template may name programs and scripts relative to where it was given.
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
        except OSError as error:
            raise ExternalError(f"{words[0]}: {error.strerror}") from error
        if done.returncode:
            said = [line for line in (done.stderr or done.stdout).replace(folder, "").splitlines() if line.strip()]
            raise ExternalError(f"{words[0]} ended with status {done.returncode}" + (f": {said[-1]}" if said else ""))


def _split(commands: str) -> list[list[str]]:
    """Words of commands separated by bars, with a shell's quotes but none of its other powers.

    Raises:
        ArcompError: a quote is not closed.
    """
    reader = shlex.shlex(commands, posix=True, punctuation_chars="|")
    reader.whitespace_split, reader.commenters = True, ""
    parts: list[list[str]] = [[]]
    try:
        for word in reader:
            if word == "|":
                parts.append([])
            else:
                parts[-1].append(word)
    except ValueError as error:
        raise ArcompError(f"{commands!r}: {error}") from error
    return parts


def _endings(field: str, words: list[str]) -> list[str]:
    """Endings that a field is given with: "" without one."""
    return sorted({ending for word in words for name, ending in _FIELD.findall(word) if name == field})


def _field(name: str, ending: str) -> str:
    return "{" + name + ending + "}"


def _outputs(words: list[str], path: Path, formats: Mapping[str, str]) -> dict[str, str]:
    return {_field("output", e): str(path) + formats.get(e, e) for e in _endings("output", words)}


def _first(paths: Mapping[str, str]) -> Path:
    """The file that a command left.

    Raises:
        ExternalError: there is none.
    """
    for path in map(Path, paths.values()):
        if path.is_file():
            return path
    raise ExternalError("the command left no file")
