"""Tables of the study's second edition, one question a file: rows for results/README.md from what was committed.

A table is a title, the heads of its columns, and rows, each a label and its cells. Accuracies are shares of one until
they are printed. study/words/ says what the runs found, in both languages.
"""

Row = tuple[str, list[str]]
Table = tuple[str, list[str], list[Row]]
