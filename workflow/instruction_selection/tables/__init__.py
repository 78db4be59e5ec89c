"""What a run found, for readers: a target's table and figure, and the experiment's report.

`spec` has what a table shows, `cells` what it reads, `rows` what it has. No pandas: a column with an empty field would
turn its whole numbers into decimals, and its Markdown and LaTeX have neither our escapes nor our intervals.
"""
