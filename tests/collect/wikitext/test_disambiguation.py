"""Which pages only tell meanings apart."""

import pytest

from pipeline.collect.wikitext.disambiguation import is_disambiguation

PAGES = """
{{disambig}}
{{Disambig|人名}}
{{模板:消歧义}}
{{消歧義頁}}
{{Disambig<!-- x -->}}
{{人名消歧義}}
{{三字母縮寫消歧義}}
{{消歧义/人名}}
{{Callsigndis}}
{{地名消歧义|甲}}
{{hndis|甲}}
{{ Geodis }}
{{Template:Dab}}
{{human name disambiguation}}
{{letter-number combination disambiguation}}
__消歧义__
__消歧義__
__DISAMBIG__
__disambig__
"""
OTHERS = """
<nowiki>{{disambig}}</nowiki>
<nowiki>__DISAMBIG__</nowiki>
<!-- {{disambig}} -->
<!-- __DISAMBIG__ -->
{{disambig needed|date=2020}}
{{Disambiguation needed}}
{{需要消歧义}}
{{請求消歧義|甲}}
{{消歧义链接}}
{{About|甲}}
{{lang|en|disambig}}
{{甲|{{disambig}}}}
[[消歧义|甲]]
"""


@pytest.mark.parametrize("mark", PAGES.strip().split("\n"))
def test_pages_that_tell_meanings_apart(mark):
    assert is_disambiguation(f"桥可以指：\n* [[甲]]\n{mark}")


@pytest.mark.parametrize("mark", OTHERS.strip().split("\n"))
def test_pages_that_do_not(mark):
    assert not is_disambiguation(f"桥很长。\n{mark}")
