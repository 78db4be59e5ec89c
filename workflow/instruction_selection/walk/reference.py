"""Algorithm 1, line by line. Slow: every step looks at every row and every row chosen before."""

import numpy as np


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def walk(gradients: np.ndarray, component: np.ndarray, budget: int, delta: float) -> list[int]:
    """Row numbers in the order chosen; `gradients` is (N, D), not scaled, and `component` (D,)."""
    to_component = np.array([_cosine(row, component) for row in gradients])
    chosen = [int(np.argmax(to_component))]
    while len(chosen) < min(budget, len(gradients)):
        alignment = abs(_cosine(gradients[chosen].mean(0), component))
        to_last = np.array([_cosine(row, gradients[chosen[-1]]) for row in gradients])
        for candidate in np.argsort(-to_last, kind="stable"):
            if (
                candidate not in chosen
                and all(_cosine(gradients[candidate], gradients[member]) >= 0 for member in chosen)
                and abs(_cosine(gradients[[*chosen, candidate]].mean(0), component)) >= delta * alignment
            ):
                chosen.append(int(candidate))
                break
        else:
            free = np.setdiff1d(np.arange(len(gradients)), chosen)
            chosen.append(int(free[np.argmax(to_component[free])]))
    return chosen
