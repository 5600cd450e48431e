"""Models and codecs side by side: what is measured, and how it is shown; nothing here prints."""
