"""What is trained on: data found, split and cut, recipes found for them and checked."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from arcomp.errors import TrainingError
from arcomp.measure import inputs as compare
from arcomp.training import recipes
from arcomp.training.chunks import FILES
from arcomp.training.degrade import mosaic, scaled_down, subsample_chroma
from arcomp.training.pictures import Pictures, find_pictures, pictures_in
from arcomp.training.recipes import Recipe
from arcomp.training.sources import gather, inspect, recipe_for
from tests.coded import write_picture
from tests.training.runs import PIXELCNN, RECIPE, TEXT, shortened, train


@pytest.mark.parametrize(
    "content", [np.zeros(9, np.uint8), np.zeros((2, 3, 4), np.float32), np.zeros((0, 3, 4), np.uint8), None]
)
def test_arrays_that_are_no_pictures(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.array([{}], object) if content is None else content, allow_pickle=True)
    with pytest.raises(TrainingError, match="array"):
        gather(PIXELCNN, [tmp_path])
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(TrainingError, match="damaged"):
        gather(PIXELCNN, [tmp_path])


def _without_its_end(folder: Path) -> None:
    np.savez_compressed(folder / "a.npz", np.random.default_rng(0).integers(0, 2, (9, 16, 16)).astype(np.uint8))
    data = bytearray((folder / "a.npz").read_bytes())
    data[200:210] = bytes(10)
    (folder / "a.npz").write_bytes(data)


def _with_text(folder: Path) -> None:
    np.savez(folder / "a.npz", np.zeros((9, 16, 16), np.uint8))
    with zipfile.ZipFile(folder / "a.npz", "a") as archive:
        archive.writestr("notes.txt", "not an array")


def _of_a_million_million(folder: Path) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (10**12, 1, 5)}
    with (folder / "a.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_without_its_end, "a damaged a"),
        (_with_text, "'notes.txt' in it: a damaged array"),
        (_of_a_million_million, "too large"),
    ],
)
def test_files_of_arrays_that_are_damaged(tmp_path: Path, spoil: Callable[[Path], None], words: str) -> None:
    spoil(tmp_path)
    with pytest.raises(TrainingError, match=rf"a\.np[yz]: cannot train on it: .*{words}"):
        gather(PIXELCNN, [tmp_path])


def test_axes_mean_what_they_mean_elsewhere(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", np.zeros((16, 20, 3), np.uint8))
    assert [picture.shape for picture in pictures_in(tmp_path / "one.npy")] == [(16, 20, 3)]


def test_pictures_of_every_kind(tmp_path: Path) -> None:
    """Colours without alpha and palette."""
    colours = np.random.default_rng(0).integers(0, 4, (16, 20, 3)).astype(np.uint8) * 80
    image = Image.fromarray(colours)
    image.convert("RGBA").save(tmp_path / "alpha.png")
    image.convert("LA").save(tmp_path / "gray.png")
    image.quantize(64).save(tmp_path / "palette.png")
    expected = {"alpha": colours, "palette": colours, "gray": np.asarray(image.convert("L"))[:, :, None]}
    for name, pixels in expected.items():
        (found,) = pictures_in(tmp_path / f"{name}.png")
        assert np.array_equal(found, pixels)
    np.savez(tmp_path / "some.npz", a=np.zeros((2, 8, 9), bool), b=np.zeros((1, 4, 4, 2), np.uint8))
    assert [picture.shape for picture in pictures_in(tmp_path / "some.npz")] == [(8, 9, 1), (8, 9, 1), (4, 4, 2)]


def test_pictures_of_more_than_8_bits(tmp_path: Path) -> None:
    """``photo`` takes what 256 levels show of them, around any level; other models refuse them, or leave them out."""
    deep = np.random.default_rng(0).normal(20000, 100, (8, 32, 40)).astype(np.uint16)
    deep[:, :, 20:] += 9000
    np.save(tmp_path / "deep.npy", deep)
    assert str(inspect([tmp_path])) == "gray pictures of 15 bits"
    assert recipe_for("photo-balanced", [tmp_path]) == "photo-balanced-gray"
    with pytest.raises(TrainingError, match="no recipe of context is for gray pictures of 15 bits"):
        recipe_for("context", [tmp_path])
    recipe = recipes.find("photo-balanced-gray")
    data = gather(replace(recipe, data=replace(recipe.data, held_out=2)), [tmp_path])
    assert data.about == "8 pictures, 2 of them held out"
    crops = data.round(0)
    assert {crop.dtype.name for crop in crops} == {"uint8"}
    shown = [crop.astype(int) for crop in crops]
    corners = [crop[corner, corner] for crop in shown for corner in (slice(15), slice(-15, None))]
    assert 1 < max(np.abs(np.diff(corner, axis=0)).mean() for corner in corners) < 8
    assert {crop[0, 0, 0] in (0, 255) for crop in shown} == {True, False}  # windows around either level
    np.save(tmp_path / "flat.npy", np.zeros((13, 32, 40), np.uint8))
    assert gather(recipes.find("context-gray"), [tmp_path]).about.endswith("8 of more than 8 bits left out")


def test_data_that_cannot_be_used(photographs: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / ".hidden.png").touch()
    for folder, word in ((empty, "no pictures"), (tmp_path / "nowhere", "no such")):
        with pytest.raises(TrainingError, match=word):
            find_pictures([folder])
    with pytest.raises(TrainingError, match="held out"):
        gather(replace(RECIPE, data=replace(RECIPE.data, held_out=6)), [photographs])
    (photographs / "bad.png").write_bytes(b"not a picture")
    with pytest.raises(TrainingError, match=r"bad\.png"):
        train(RECIPE, photographs, tmp_path / "c")


def test_pictures_of_all_endings_that_are_read(tmp_path: Path) -> None:
    """PBM, too; the same files for training as for the other verbs."""
    black = np.zeros((16, 16, 1), np.uint8)
    for i in range(6):
        (tmp_path / f"{i}.PBM").write_bytes(write_picture(black, 1, "pbm"))
    assert gather(PIXELCNN, [tmp_path]).about.startswith("6 pictures")
    assert str(inspect([tmp_path])) == "gray pictures of 1 bit"
    assert [place.path for place in compare.find([tmp_path])] == find_pictures([tmp_path])


def test_rounds_are_reproducible_and_degradations_degrade() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (32, 40, 3)).astype(np.uint8)
    for degrade in (mosaic, subsample_chroma):
        changed = degrade(picture, np.random.default_rng(1))
        assert changed.shape == picture.shape
        assert not np.array_equal(changed, picture)
    flat = np.full((16, 16, 3), 77, np.uint8)
    assert np.array_equal(mosaic(flat, rng), flat)
    assert np.abs(subsample_chroma(flat, rng).astype(int) - 77).max() <= 1


def test_pictures_are_made_smaller(tmp_path: Path) -> None:
    """A fine chessboard becomes gray; crops stay of the recipe's size, and are the same whenever they are asked for."""
    board = (np.indices((96, 80)).sum(0) % 2 * 255).astype(np.uint8)
    np.save(tmp_path / "a.npy", np.repeat(board[None, ..., None], 3, 3))
    np.save(tmp_path / "b.npy", np.repeat(board[None, ..., None], 3, 3))
    recipe = replace(RECIPE, data=replace(RECIPE.data, held_out=1, resampled=0.0, scaled=0.7, crops=20))
    data = gather(recipe, [tmp_path])
    crops = data.round(3)
    assert {crop.shape for crop in crops} == {(24, 24, 3)}
    assert all(np.array_equal(a, b) for a, b in zip(crops, data.round(3), strict=True))
    assert {0, 255} < {int(value) for crop in crops for value in np.unique(crop)}
    assert any(np.unique(crop).tolist() == [0, 255] for crop in crops)  # some are as they were
    flat = np.full((16, 12, 3), 77, np.uint8)
    assert np.array_equal(scaled_down(flat, 8, 5, np.random.default_rng(0)), flat[:8, :5])


def test_files_of_one_photograph_are_held_out_together(tmp_path: Path) -> None:
    for name in ("x_0", "x_1", "x_2", "y_0", "y_1", "z"):
        np.save(tmp_path / f"{name}.npy", np.full((1, 24, 24, 3), ord(name[0]), np.uint8))
    for seed in range(4):
        recipe = replace(RECIPE, seed=seed, data=replace(RECIPE.data, held_out=1, photograph="[xy]_"))
        data = gather(recipe, [tmp_path])
        assert isinstance(data, Pictures)
        held_out, training = ({int(p[0, 0, 0]) for p in part} for part in (data.held_out, data.training))
        assert len(held_out) == 1
        assert not held_out & training
    with pytest.raises(TrainingError, match="no regular expression"):
        gather(replace(RECIPE, data=replace(RECIPE.data, photograph="(")), [tmp_path])


@pytest.mark.parametrize("turned", [False, True])
def test_crops_that_are_stacked_are_of_one_size(tmp_path: Path, turned: bool) -> None:
    """Smaller pictures are left out; if there are no others, and all are of one size, taken whole."""
    recipe = replace(PIXELCNN, data=replace(PIXELCNN.data, turned=turned))
    for name, shape in (("large", (6, 20, 24)), ("low", (3, 9, 24)), ("narrow", (4, 20, 12))):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "a.npy", np.random.default_rng(0).integers(0, 2, shape).astype(np.uint8))
    data = gather(recipe, [tmp_path])
    assert data.about == "6 pictures, 4 of them held out, 7 smaller than 16 x 16 left out"
    assert {crop.shape for crop in [*data.round(0), *data.validation()]} == {(16, 16, 1)}
    few = replace(recipe, data=replace(recipe.data, held_out=1))
    narrow = gather(few, [tmp_path / "narrow"])
    assert {crop.shape for n in range(4) for crop in [*narrow.round(n), *narrow.validation()]} == {(16, 12, 1)}
    assert train(shortened(few, steps=2), tmp_path / "narrow", tmp_path / "c").step == 2
    with pytest.raises(TrainingError, match=r"several sizes, such as 9 x 16 and 16 x 12"):
        gather(few, [tmp_path / "low", tmp_path / "narrow"])


def test_positions_are_taken_from_pictures_of_any_size(tmp_path: Path) -> None:
    for i, shape in enumerate([(3, 30, 30, 3), (3, 9, 14, 3)]):
        np.save(tmp_path / f"{i}.npy", np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8))
    data = gather(RECIPE, [tmp_path])
    assert {crop.shape[:2] for n in range(20) for crop in data.round(n)} >= {(24, 24), (9, 14), (14, 9)}


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_arrays_of_two_and_four_channels(tmp_path: Path, channels: int) -> None:
    """They are for networks of as many; not gray, as colour is."""
    for c in (2, 4):
        np.save(tmp_path / f"{c}.npy", np.random.default_rng(0).integers(0, 2, (6, 16, 16, c)).astype(np.uint8))
    recipe = shortened(PIXELCNN, steps=2)
    recipe = replace(recipe, config={**recipe.config, "channels": channels})
    if channels == 1:
        with pytest.raises(TrainingError, match="0 usable pictures, 12 not of 1 channel left out, of which 4"):
            gather(recipe, [tmp_path])
        return
    data = gather(recipe, [tmp_path])
    assert data.about == f"6 pictures, 4 of them held out, 6 not of {channels} channels left out"
    assert train(recipe, tmp_path, tmp_path / "c").step == 2


@pytest.mark.parametrize("name", ["made-digits", "bayes_net-digits", "image_transformer-digits", "pixelsnail-digits"])
def test_crops_that_are_larger_than_the_network_takes(tmp_path: Path, name: str) -> None:
    recipe = recipes.find(name)
    recipe = replace(recipe, data=replace(recipe.data, crop=64, held_out=2))
    np.save(tmp_path / "a.npy", np.zeros((6, 28, 28), np.uint8))
    gather(recipe, [tmp_path])
    np.save(tmp_path / "a.npy", np.zeros((6, 28, 40), np.uint8))
    with pytest.raises(TrainingError, match="crops of 28 x 40 pixels, the recipe's network takes 28 x 28 at most"):
        gather(recipe, [tmp_path])


# --- bytes ----------------------------------------------------------------------------------------------------------


def test_the_ends_of_few_files_are_held_out(tmp_path: Path) -> None:
    """In proportion to their sizes; nothing of them is trained on."""
    (tmp_path / "a.txt").write_bytes(b"a" * 2400 + b"A" * 192)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "b.bin").write_bytes(b"b" * 800 + b"B" * 64)
    (tmp_path / "empty.txt").touch()
    data = gather(TEXT, [tmp_path])
    assert bytes(np.concatenate(data.validation()).ravel()) == b"A" * 192 + b"B" * 64
    crops = [bytes(crop.ravel()) for number in range(20) for crop in data.round(number)]
    assert {len(crop) for crop in crops} == {64}
    assert set(b"".join(crops)) == set(b"ab")
    assert data.about == "2 files, 3,456 bytes; the end of each held out, 256 bytes"
    assert all(np.array_equal(a, b) for a, b in zip(data.round(3), gather(TEXT, [tmp_path]).round(3), strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(data.round(3), data.round(4), strict=True))


def test_whole_ones_of_many_files_are_held_out(tmp_path: Path) -> None:
    for i in range(FILES):
        (tmp_path / f"{i}.txt").write_bytes(bytes([i]) * 200)
    data = gather(TEXT, [tmp_path])
    held = set(np.concatenate(data.validation()).ravel().tolist())
    trained = {v for n in range(50) for crop in data.round(n) for v in crop.ravel().tolist()}
    assert (len(held), held & trained, len(held | trained)) == (2, set(), FILES)
    assert "2 files held out, 400 bytes" in data.about


def test_bytes_that_are_too_few(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a" * 300)
    with pytest.raises(TrainingError, match=r"300 bytes .* 256 would be held out"):
        gather(TEXT, [tmp_path])


# --- recipes --------------------------------------------------------------------------------------------------------


def test_recipes() -> None:
    for name in recipes.names():
        recipe = recipes.find(name)
        assert Recipe.from_dict(recipe.to_dict()) == recipe
    for name in ("nothing", "nothing.toml", "photo-fast/"):
        with pytest.raises(TrainingError, match=f"no recipe '{name}'"):
            recipes.find(name)


def test_a_recipe_is_found_for_a_model_and_data(photographs: Path, tmp_path: Path) -> None:
    digits, gray, text = (tmp_path / name for name in ("digits", "gray", "text"))
    for folder, top in ((digits, 2), (gray, 256)):
        folder.mkdir()
        np.save(folder / "a.npy", np.random.default_rng(0).integers(0, top, (9, 28, 28)).astype(np.uint8))
    text.mkdir()
    (text / "a.txt").write_text("text")
    assert str(inspect([digits])) == "gray pictures of 1 bit"
    for model, folder, name in (
        ("photo", photographs, "photo-balanced"),
        ("photo", gray, "photo-balanced-gray"),
        ("photo-max", gray, "photo-max-gray"),
        ("context", photographs, "context-rgb"),
        ("made", digits, "made-digits"),
        ("wavenet", digits, "wavenet-digits"),
        ("wavenet", text, "wavenet-text"),
        ("temporal_conv", text, "temporal_conv-text"),
        ("wavenet-text", text, "wavenet-text"),
    ):
        assert recipe_for(model, [folder]) == name
    for model, folder, words in (
        ("unheard", text, "no recipe for model 'unheard'"),
        ("made", text, "no recipe of made is for text"),
        ("made", photographs, "for RGB pictures of 8 bits, .* there are made-.*made-digits"),
        ("made", tmp_path / "nowhere", "no such"),
    ):
        with pytest.raises(TrainingError, match=words):
            recipe_for(model, [folder])


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("", "model", "histogram"),
        ("", "seed", -1),
        ("", "seed", 1.5),
        ("config", "channels", 2),
        ("config", "mixture", 99),
        ("config", "head", 99999),
        ("config", "trunk", []),
        ("config", "what", 1),
        ("", "model", ["context"]),
        ("data", "crop", -3),
        ("data", "crops", 0),
        ("data", "held_out", 0),
        ("data", "resampled", 2.0),
        ("data", "scaled", -0.1),
        ("data", "photograph", 3),
        ("data", "turned", 1),
        ("optimiser", "passes", 0),
        ("data", "kind", "sounds"),
        ("data", "kind", "bytes"),
        ("optimiser", "batch", 0),
        ("optimiser", "rate", "x"),
        ("optimiser", "rate", 1e30),
        ("optimiser", "ema", float("nan")),
        ("optimiser", "steps", 0),
        ("optimiser", "minutes", 0),
        ("optimiser", "minutes", float("inf")),
        ("optimiser", "weight_decay", -0.1),
        ("optimiser", "bf16", "yes"),
    ],
)
def test_recipes_with_values_out_of_range(part: str, name: str, value: Any) -> None:
    d = RECIPE.to_dict()
    (d[part] if part else d)[name] = value
    with pytest.raises(TrainingError):
        Recipe.from_dict(d)


@pytest.mark.parametrize(
    "text", ["model = ", "model = 'context'", "model='context'\nseed=1\n[config]\n[data]\nwhat=1\n[optimiser]\n"]
)
def test_bad_recipes(tmp_path: Path, text: str) -> None:
    (tmp_path / "r.toml").write_text(text)
    with pytest.raises(TrainingError) as caught:
        recipes.find(str(tmp_path / "r.toml"))
    assert "r.toml" in str(caught.value)
