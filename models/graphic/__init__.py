"""``graphic``: screenshots, drawings, charts, palettes, scans: a model of whole colours that learns while it codes."""
