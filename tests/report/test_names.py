"""Everything that the analysis and the trainers name has a Chinese name."""

from dataclasses import fields

import pytest

from pipeline.report.console.names import name_in
from pipeline.train.objectives.causal_settings import CausalSettings
from pipeline.train.settings import Settings


@pytest.mark.parametrize("kind", [Settings, CausalSettings])
def test_every_setting_has_a_chinese_name_of_its_own(kind):
    kept = {"dropout", "beta1", "beta2"}  # what they are called in Chinese too
    named = {field.name: name_in("zh", field.name) for field in fields(kind)}
    assert {name for name, chinese in named.items() if name == chinese} == kept & named.keys()
    assert len(set(named.values())) == len(named)
