"""The walk of G2IS over the graph of gradients (Zhao et al. 2025, section 3.2 and Algorithm 1).

Starting from the row closest to a principal component v, go from the row chosen last to its most similar row z that
    (a) conflicts with no row chosen so far: cos(z, s) >= 0 for every s, and
    (b) keeps the set on course: |cos(mean(set + z), v)| >= delta * |cos(mean(set), v)|.
Of equal rows the first wins. There are three walks, which differ in what else they do:

`walk_algorithm1`, the paper's Algorithm 1
    Knows only its own component's rows. If no row passes, it goes to the row closest to v, untested. The paper's "core
    knowledge" K_V is read as the component being walked; the mean is of the gradients as they are, not scaled.
`walk_author_code`, the authors' code (gradient_walk.py of github.com/zy125413/G2IS at 990409b)
    Never takes a row that an earlier component took; sums rows of norm 1; if no neighbour passes, it goes to the row
    closest to v that passes both rules, and if there is none, ends with fewer rows than its budget.
`walk_robust`, this project's
    As the authors' code over all rows, but what a walk cannot use of its budget goes to the other walks, and once all
    have ended they take untested rows, so that exactly the budget is chosen.

`reference` has the three as they are defined, `fast` the same results for large pools: `quantised` bounds all inner
products, `growing_set` searches by these bounds. `components` are the directions to walk along; `algorithm1` is the
paper's selection as a whole, from components to rows.
"""
