"""The command line, given archives whose members have hostile names, modes and kinds, and folders with links."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from arcomp.container.archive import joined
from tests.cli.command import say
from tests.format.fields import MODE, NAME, ORIGINAL, build, fields_of, streams_of
from tests.fuzz.mutations import Random, tampered

NAMES = (
    b"a", b"b", b"a/b", b"d/x", b"link/x", b"link", b"../x", b"/x", b"a/../../x", b"a//b", b".", b"a\x1b[31m", b"\xff",
    b"d/", b"link/", b"x" * 99, b"C:x", b"a\\b", b"CON", b"a.exe", b".arcomp-x.part",
)  # fmt: skip
MODES = (0, 0o400, 0o644, 0o777, 0o4755, 0o7777)
VERBS = (
    ("extract", "-j", "1", "-o", "out"),
    ("decompress", "--salvage", "-o", "out/"),
    ("list",),
    ("test",),
    ("info",),
)


def named(data: bytes, name: bytes, mode: int) -> bytes:
    """A member of another name and mode, checksums right."""
    fields = {tag: value for tag, value in fields_of(data) if tag not in (NAME, MODE)}
    if name.endswith(b"/"):
        fields[ORIGINAL] = b"\0" + fields[ORIGINAL][-32:]
    fields |= {NAME: name, MODE: mode.to_bytes(2, "little")}
    return build(sorted(fields.items()), streams=streams_of(data))


def commands(members: list[bytes], rng: Random) -> tuple[bytes, str]:
    """An archive, and the number of the verb that reads it."""
    made = []
    for _ in range(int(rng.integers(1, 4))):
        one = members[int(rng.integers(len(members)))]
        name, mode = NAMES[int(rng.integers(len(NAMES)))], MODES[int(rng.integers(len(MODES)))]
        made.append(named(one, tampered(name, rng) or b"a" if rng.random() < 0.2 else name, mode))
    return b"".join(made) if len(made) == 1 or rng.random() < 0.2 else _joined(made), str(rng.integers(len(VERBS)))


def _joined(made: list[bytes]) -> bytes:
    try:
        return joined(made)
    except Exception:  # two of a name
        return b"".join(made)


def try_command(data: bytes, name: str, known: frozenset[bytes]) -> str:
    """It ends with lines and a status; nothing is written but files that are known, and those below one folder."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for place in ("outside", "out"):
                Path(place).mkdir()
            Path("outside/x").write_bytes(b"kept")
            Path("out/link").symlink_to(Path("../outside"))
            Path("all.arcomp").write_bytes(data)
            said = say(*VERBS[int(name)], "all.arcomp")
            assert said.status in (0, 1), said.status
            assert "internal error" not in said.err, said.err
            assert "Traceback" not in said.err, said.err
            assert "\x1b[31m" not in said.err + said.out.decode("utf-8", "replace"), "a terminal's escapes"
            assert said.status == 0 or said.lines, "a refusal without a word"
            assert sorted(os.listdir()) == ["all.arcomp", "out", "outside"], os.listdir()
            assert os.listdir("outside") == ["x"], "through a link"
            assert Path("outside/x").read_bytes() == b"kept", "through a link"
            for path in Path("out").rglob("*"):
                assert not path.is_file() or path.stat().st_mode & 0o7000 == 0, "more than permissions"
                if path.is_file() and not path.is_symlink():
                    path.chmod(0o600)
                    assert path.read_bytes() in known, "another file"
            return "exact" if said.status == 0 else "refused"
        finally:
            os.chdir(before)
