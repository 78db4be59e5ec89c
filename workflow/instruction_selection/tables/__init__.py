"""What a run found, for readers: a target's table and figure, and the experiment's report.

`spec` has what a table shows, `cells` its inputs, `rows` its content. Not a pandas table: its columns would turn numbers
of rows with an empty field into decimals, and its Markdown and LaTeX have neither our escapes nor intervals.
"""
