"""The walk of G2IS over the graph of gradients (Zhao et al. 2025, Algorithm 1): `fast`, and `reference` to check it by.

Starting from the row closest to a principal component v, go from the row chosen last to its most similar row z that
    (a) conflicts with no row chosen so far: cos(z, s) >= 0 for every s, and
    (b) keeps the set on course: |cos(mean(set + z), v)| >= delta * |cos(mean(set), v)|;
if there is none, to the row closest to v, untested. The paper's "core knowledge" K_V is read as the component being
walked; the mean is of the gradients as they are, not scaled to norm 1. Of equal rows the first wins.
"""
