"""The page of ``arcomp compare --html``, as a file and as a browser sees it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from arcomp.measure import plot
from arcomp.measure.page import page as make_page
from arcomp.measure.results import results
from arcomp.models.pixelcnn import PixelCNN
from tests.cli.command import say
from tests.compared import picture
from tests.contents import pictures
from tests.specimens import layered
from tests.unit.test_compare import Fixed, measured

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


PROBE = """<script>addEventListener("load", () => {
  const all = (what, f) => [...document.querySelectorAll(what)].map(f);
  const box = e => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; };
  const found = {
    width: innerWidth, scrolls: document.documentElement.scrollWidth,
    images: all("img", e => [e.naturalWidth, e.naturalHeight, e.clientWidth, e.clientHeight]),
    plots: all("svg.plot", s => [...s.querySelectorAll("g.name")].map(box)),
    texts: all("svg.plot text", e => e.textContent),
    paper: getComputedStyle(document.body).backgroundColor, ink: getComputedStyle(document.body).color,
  };
  parent.postMessage(JSON.stringify(found), "*");
});</script>"""
FRAME = """<!doctype html><style>:root {{ color-scheme: light dark }}</style><body><script>
  addEventListener("message", e => {{ document.body.textContent = e.data; }});
</script><iframe style="width: {width}px; height: 2000px; border: 0" src="{page}"></iframe></body>"""
"""A window is at least 500 pixels wide, a frame is not."""


def seen(page: Path, width: int, *options: str) -> dict[str, Any]:
    """What a browser makes of a page in a window so wide; fails if it says anything on its console."""
    assert BROWSER
    probed, framed = page.with_name("probed.html"), page.with_name("framed.html")
    probed.write_text(page.read_text(encoding="utf-8").replace("</body>", PROBE + "</body>"), encoding="utf-8")
    framed.write_text(FRAME.format(width=width, page=probed.name))
    profile = page.with_name("profile")
    command = [
        BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
        f"--user-data-dir={profile}", f"--window-size={width + 40},2000", *options, "--virtual-time-budget=2000",
        "--dump-dom", framed.as_uri(),
    ]  # fmt: skip
    made = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert "CONSOLE" not in made.stderr
    match = re.search(r"<body>({.*})</body>", made.stdout, re.S)
    assert match
    found: dict[str, Any] = json.loads(html.unescape(match[1]))
    return found


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a photograph-like picture, of digits, and of one with a hostile name."""
    folder = tmp_path_factory.mktemp("page")
    layered(PixelCNN, channels=1, depth=1, width=3, blocks=1, kernel=3).weights.save(folder / "small.safetensors")
    np.save(folder / "digits.npy", np.stack([pictures("noise", (8, 9, 1), 1, s)[..., 0] for s in range(70)]))
    Image.fromarray(np.tile(pictures("smooth", (75, 100, 3), 8), (2, 3, 1))).save(folder / "large.png")
    picture(folder / "<b>&.png", 20, 30, 3)
    names = [str(folder / name) for name in ("large.png", "digits.npy", "<b>&.png")]
    models = f"histogram,{folder / 'small.safetensors'}"
    said = say("compare", *names, "--models", models, "--classical", "--html", folder / "page.html", "-q")
    assert (said.status, said.out, said.err) == (0, b"", "")
    return folder / "page.html"


class TestPage:
    def test_needs_nothing_else(self, page: Path) -> None:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<script|<link|@import|url\((?!#)|https?:", text)
        assert set(re.findall(r'src="(.{10})', text)) == {"data:image"}
        assert "<b>&.png" not in text
        assert "&lt;b&gt;&amp;.png" in text
        assert "70 pictures of 9 x 8, gray, 1 bit a sample; the first 64 are drawn" in text
        assert text.count("<section>") == 3
        assert len(re.findall("<figure>", text)) == 3 + 3 + 1  # inputs; histogram's maps; the small model's one
        folded = re.findall(r"<details><summary>(.*?)</summary>\n<p>(.*?)</p>", text)
        assert [what for what, _ in folded].count("1 did not take it") == 2
        assert "takes 1 channel of 1 bit" in folded[0][1]

    @pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
    def test_in_a_browser(self, page: Path) -> None:
        phone, desktop = seen(page, 400), seen(page, 1280)
        for found, width in ((phone, 400), (desktop, 1280)):
            assert found["width"] == width
            assert found["scrolls"] <= width
            assert len(found["images"]) == 7
            assert all(side > 0 for image in found["images"] for side in image)
            assert [[round(w / h, 1) for w, h in (i[:2], i[2:])] for i in found["images"][:2]] == [[2.0, 2.0]] * 2
            assert len(found["plots"]) == 2
            for names in found["plots"]:
                assert len(names) >= 2
                for i, (x0, y0, x1, y1) in enumerate(names):
                    assert 0 <= x0 < x1 <= width
                    assert not any(x0 < b[2] and b[0] < x1 and y0 < b[3] and b[1] < y1 for b in names[:i])
        assert sum("smaller is lower" in text for text in desktop["texts"]) == 2

    @pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
    def test_light_and_dark(self, page: Path) -> None:
        light, dark = seen(page, 900), seen(page, 900, "--blink-settings=preferredColorScheme=0")
        assert (light["paper"], dark["ink"]) == ("rgb(255, 255, 255)", "rgb(230, 237, 243)")
        assert light["paper"] != dark["paper"]


class TestPlot:
    def test_front(self) -> None:
        points = [(1.0, 5.0), (2.0, 4.0), (3.0, 4.5), (2.0, 4.2), (0.5, 1.0), (0.4, 0.9), (0.3, 2.0)]
        assert plot.front([plot.Mark("", speed, size, True) for speed, size in points]) == [5, 4, 1, 2]

    def test_one_mark_and_equal_marks(self) -> None:
        one = plot.Mark("a<b $x_", 1.0, 2.0, True)
        made = plot.svg(plot.figure([one], "x", "y"), "said")
        assert "a&lt;b $x_" in made
        assert "nan" not in plot.svg(plot.figure([one, one], "x", "y"), "said")
        assert plot.drawable([one, plot.Mark("far", 1.0, 9.0, True)]) == [one]

    def test_names_cover_nothing_and_stay_inside(self) -> None:
        """Also long ones of marks that are near each other and the edge."""
        speeds = {"pixelsnail": 0.0274, "image_transformer": 0.0192, "pixelcnnpp": 0.0598, "gated_pixelcnn": 0.0143}
        speeds |= {"pixelcnn": 0.0411, "multiscale_pixelcnn": 0.12, "char_rnn": 0.0234}
        sizes = (3.7253, 3.8682, 3.9141, 3.9674, 4.0111, 4.1357, 5.3040)
        ours = zip(speeds.items(), sizes, strict=True)
        marks = [plot.Mark(f"{name}-colour", speed, size, True) for (name, speed), size in ours]
        marks += [plot.Mark("JPEG XL e9", 0.153, 4.1908, False), plot.Mark("WebP", 0.0232, 4.5859, False)]
        made = plot.figure([*marks, plot.Mark("PNG", 5.71, 5.9105, False)], "x", "y")
        boxes = [text.get_window_extent() for text in made.axes[0].texts]
        assert len(boxes) == 10
        assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
        whole = made.bbox
        assert all(b.x0 >= 0 and b.x1 <= whole.width and b.y0 >= 0 and b.y1 <= whole.height for b in boxes)


def test_a_page_without_matplotlib(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot, "NEEDED", ("no_such_package",))
    found = results([Fixed("a")], [measured("a", 0, 1000)])
    made = make_page(found, [])
    assert "<svg" not in made
    assert "Plots need matplotlib: pip install &#34;arcomp[bench]&#34;" in made
