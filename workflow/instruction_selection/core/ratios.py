"""Ratios of a pool, which are shares or counts: how many examples they select, and how paths and tables write them."""


def selected_count(ratio: float, examples: int) -> int:
    """floor(ratio * examples), of the decimal numbers that are meant; a ratio above 1 is the number itself.

    In binary 0.29 * 100 is 28.999999999999996; the small number makes it 29.
    """
    return int(ratio) if ratio > 1 else int(ratio * examples + 1e-9)


def ratio_text(ratio: float) -> str:
    """Shortest notation, as in wildcards: 0.05, and 1 rather than 1.0."""
    return str(int(ratio)) if ratio >= 1 else str(float(ratio)).removesuffix(".0")
