"""The parts behind the stage scripts.

At this level stand the files that pass between the stages (corpus, history, checkpoint) and the rules that two wings
share. Below are the wings: ``collect`` (stages 1 and 2), ``train`` (stage 3) and ``analyse`` (stages 4 and 5). A wing
imports this level and never another wing; nothing here imports a wing.
"""
