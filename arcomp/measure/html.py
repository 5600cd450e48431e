"""Pages that need nothing else: no network, no script; light or dark as the reader's system is."""

from __future__ import annotations

from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --faint: #e4e8ec; --paper: #fff; --raised: #f6f8fa;
  --ours: #0b62c4; --peer: #8b949e; --front: #d97706; --bad: #b42318; --good: #1a7f37;
  --shade: rgb(0 0 0 / .16) }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9198a1; --faint: #2b323a; --paper: #0f1318; --raised: #171d24; --ours: #6cb0ff;
    --peer: #848d97; --front: #f0a33a; --bad: #ff8a80; --good: #56d364;
    --shade: rgb(255 255 255 / .2) } }
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; color: var(--ink);
  background: var(--paper); max-width: 76rem; margin: 0 auto; padding: 1.6rem 1rem 4rem; overflow-wrap: anywhere }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.6rem 0 .5rem; padding-top: 1rem;
  border-top: 1px solid var(--faint) }
p { color: var(--soft); margin: .3rem 0; max-width: 46rem }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem 2rem;
  margin: 1.4rem 0 }
svg.plot { width: 100%; height: auto; display: block }
.plot text { fill: var(--ink) }
.plot .tick, .plot .title { fill: var(--soft) }
.plot .grid { stroke: var(--faint); fill: none }
.plot .axis { stroke: var(--peer); fill: none }
.plot .leader { stroke: var(--peer); stroke-width: .8 }
.plot .front { stroke: var(--front); stroke-width: 1.8; fill: none; stroke-linejoin: round }
.plot .ours { fill: var(--ours) }
.plot .peer { fill: var(--peer) }
.plot circle, .plot rect { stroke: var(--paper); stroke-width: 1.2 }
.plot .name { paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round }
.plot .name.peer { fill: var(--ink) }
.plot .best { font-weight: 650 }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; color: var(--soft); font-size: .9rem }
.key span::before { content: ""; display: inline-block; width: .7em; height: .7em; margin-right: .45em;
  background: var(--peer); border-radius: 1px }
.key .ours::before { background: var(--ours); border-radius: 50% }
.key .front::before { background: var(--front); height: .18em; width: 1.4em; vertical-align: .2em }
.wide { overflow-x: auto; margin: .8rem 0; background:
  linear-gradient(90deg, transparent, var(--paper) 80%) 100% 0 / 3rem 100% no-repeat local,
  linear-gradient(90deg, transparent, var(--shade)) 100% 0 / .9rem 100% no-repeat scroll }
table { border-collapse: collapse; font-size: .93rem; font-variant-numeric: tabular-nums; width: 100% }
th, td { padding: .38rem .55rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--faint) }
th { color: var(--soft); font-weight: 500; vertical-align: bottom }
tr > :first-child { text-align: left; position: sticky; left: 0; background: var(--paper); padding-left: 0 }
tbody th { color: var(--ink); font-weight: 600 }
.bar { text-align: left }
.bar div { display: grid; grid-template-columns: 3.4em 7rem; gap: .6em; align-items: center }
.bar i { display: block; height: .7em; border-radius: 2px; background: var(--ours); width: var(--part) }
.peer .bar i { background: var(--peer) }
.star { margin-right: -.55em }
td.why { text-align: left; white-space: normal; color: var(--soft); min-width: 15rem }
.bad { color: var(--bad); font-weight: 600 }
.good { color: var(--good) }
.maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, clamp(10.5rem, 22vw, 17rem)), 1fr));
  gap: 1rem; margin: 1rem 0 .4rem }
figure { margin: 0; background: var(--raised); border-radius: 8px; overflow: hidden }
figure img { display: block; width: 100%; height: auto }
figure img.pixels { image-rendering: pixelated }
figcaption { padding: .45rem .7rem .55rem; font-size: .88rem; line-height: 1.35 }
figcaption b { font-weight: 600 }
figcaption span { color: var(--soft) }
.scale { display: grid; grid-template-columns: auto minmax(4rem, 16rem) auto; gap: .6rem; align-items: center;
  color: var(--soft); font-size: .88rem; width: fit-content; max-width: 100% }
.scale span { white-space: nowrap }
.scale i { height: .8rem; border-radius: 3px }
"""


def document(title: str, body: str) -> str:
    """A whole page."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )
