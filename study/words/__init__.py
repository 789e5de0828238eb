"""The findings in words, in Chinese and English, with the numbers of the files in results/.

study/pages.py writes them into the README of the project and into results/README.md. A sentence states numbers and
leaves the rest to the reader, or chooses its words by the numbers, so that it stays true when the runs are made anew.
"""
