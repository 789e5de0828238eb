"""The parts behind the stage scripts, in rooms named by what is done in them.

Imports run downwards only; the layers, from the top: ``probe``; ``export``; ``report``; ``figures`` and ``monitor``;
``analyse`` and ``train``; ``score``, ``predictor`` and ``judge``; ``baselines``, ``model`` and ``collect``; ``data``;
``characters``; ``statistics`` and ``files``; and at this level ``words``, ``formatting``, ``stage`` and ``terminal``.
Rooms of one layer do not import each other (``make lint`` checks it).
"""
