"""``bilevel``: pictures of one bit, scans, faxes and dithers: a model of neighbourhoods that learns while it codes."""
