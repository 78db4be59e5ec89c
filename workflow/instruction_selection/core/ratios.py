"""Ratios of a pool: how many examples they select, and how they are written in paths and tables."""


def selected_count(ratio: float, examples: int) -> int:
    """floor(ratio * examples), of the decimal numbers that are meant.

    In binary 0.29 * 100 is 28.999999999999996; the small number makes it 29.
    """
    return int(ratio * examples + 1e-9)


def ratio_text(ratio: float) -> str:
    """Shortest notation, as in wildcards: 0.05, and 1 rather than 1.0."""
    return str(float(ratio)).removesuffix(".0")
