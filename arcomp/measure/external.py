"""Any codec that is a command: one template to encode pictures or JPEGs, one to decode, run without a shell."""

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
from arcomp.measure.jpegs import Transcoder

HELP = (
    "another codec: a command that encodes, a bar, one that decodes, such as "
    '"flif=flif -e {input} {output.flif}|flif -d {input.flif} {output}", or for JPEGs '
    '"lepton=lepton {input.jpg} {output.lep}|lepton {input.lep} {output.jpg}"; may be given several times'
)
JPEG = ".jpg"
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
        self.name, self.spec, self.encoder, self.decoder = _parsed(spec)
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
            _run(self.encoder, paths | coded, folder)
            return _first(coded).read_bytes()

    def decode(self, data: bytes) -> Pixels:
        with tempfile.TemporaryDirectory() as folder:
            paths = {}
            for ending in _endings("input", self.decoder):
                path = Path(folder, "coded" + ending)
                path.write_bytes(data)
                paths[_field("input", ending)] = str(path)
            pictures = _outputs(self.decoder, Path(folder, "picture"), FORMATS)
            _run(self.decoder, paths | pictures, folder)
            try:
                pixels: Pixels = read(_first(pictures)).pixels[0]
            except PictureError as error:
                raise ExternalError(f"{self.decoder[0]} left no picture: {error.cause}") from error
            return pixels


class ExternalOfJpegs(Transcoder):
    """The same for JPEG files: the encoder reads {input.jpg}, the decoder leaves {output.jpg}.

    Raises:
        ArcompError: it is not like that.
    """

    def __init__(self, spec: str) -> None:
        self.name, self.spec, self.encoder, self.decoder = _parsed(spec)
        if _endings("input", self.encoder) != [JPEG] or _endings("output", self.decoder) != [JPEG]:
            raise ArcompError(f"{self.name}: what makes JPEGs smaller reads {{input.jpg}} and leaves {{output.jpg}}")

    def available(self) -> str:
        return "" if all(shutil.which(words[0]) for words in (self.encoder, self.decoder)) else NOT_INSTALLED

    def encode(self, jpeg: bytes) -> bytes:
        return self._made(self.encoder, jpeg)

    def decode(self, data: bytes) -> bytes:
        return self._made(self.decoder, data)

    def _made(self, words: list[str], data: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            paths = {}
            for ending in _endings("input", words):
                path = Path(folder, "from" + ending)
                path.write_bytes(data)
                paths[_field("input", ending)] = str(path)
            made = _outputs(words, Path(folder, "made"), {})
            _run(words, paths | made, folder)
            return _first(made).read_bytes()


def described(spec: str) -> External | ExternalOfJpegs:
    """What ``NAME=ENCODE|DECODE`` describes: a codec of JPEGs if the encoder reads {input.jpg}, else one of pictures.

    Raises:
        ArcompError: it is not like that.
    """
    encoder = _parsed(spec)[2]
    return ExternalOfJpegs(spec) if JPEG in _endings("input", encoder) else External(spec)


def _parsed(spec: str) -> tuple[str, str, list[str], list[str]]:
    """Name, the description itself, and the words of both commands.

    Raises:
        ArcompError: it is not ``NAME=ENCODE|DECODE``, or a command leaves out a field.
    """
    name, equals, commands = spec.partition("=")
    name, parts = name.strip(), _split(commands)
    if not (name and equals) or len(parts) != 2 or not all(parts):
        raise ArcompError(f"{spec!r} is not NAME=ENCODE|DECODE")
    for what, words in (("encodes", parts[0]), ("decodes", parts[1])):
        fields = {field for word in words for field, _ in _FIELD.findall(word)}
        if fields != {"input", "output"}:
            raise ArcompError(f"{name}: what {what} needs both {{input}} and {{output}}")
    return name, spec, parts[0], parts[1]


def _run(words: list[str], paths: Mapping[str, str], folder: str) -> None:
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
