"""Which sections of an article list works, links and notes, by their headings: they hold no running text."""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.characters.script_folding import folded

# A heading is folded first, so either script will do, and a mix of both.
_LIST = re.compile(
    """
    (?:主要)?(?:参考|引用|征引|相关|研究|推荐|延伸|扩展)?(?:文献|书目)(?:资料|来源|列表|一览|目录)?
    | (?:主要)?参[考攷](?:资料|来源|书籍|书|链接|连结|连接|链结|网站|网页|网址)?(?:来源)?
    | (?:主要)?参[考攷](?:条目|数据|论文|文章|文献|阅读|影片|自)?(?:来源)?
    | (?:引用|资料|数据|消息|新闻|信息|图片)*来源 | (?:原文|资料|引文|图片)?出处 | 出典 | 引[用注证据] | 引用资料
    | (?:文内|章节|内文)?(?:注(?:释|解|记|脚|文|译|释表|释栏)?|附注|引注) | [脚备尾补]注 | 备考
    | 参[见看阅考照引](?:条目)? | [另又]参?[见看]
    | (?:相关|关联|关连|内部)(?:条目|链接|连结|连接|链结|页面|文章|项目|书籍|资料|网站|网页|网址)
    | (?:外部|站外|友情|官方|网站|网页|网络)+(?:链接|连结|连接|链结|网站|网页|网址|资源|资料|参考|参照)
    | 外链 | 链接 | 连结 | 连接 | 网址
    | (?:延伸|扩展|拓展|进阶|进一步|深入|补充|相关|推荐)(?:阅读|閲读|阅览|读物|书籍|书单|资料) | 阅读材料
    | references? | sources? | notes? | footnotes? | bibliography | links? | external | see | also | further | reading
    """,
    re.VERBOSE,
)
_SEPARATORS = re.compile(r"[与和及以暨、，：，:,&/／\s]+")
_APPENDED = re.compile(r"[（(][^（）()]*[）)]\s*\Z|(?<=\D)[\d\s]+\Z")  # 参考文献（部分）, 注释1


@lru_cache(maxsize=50_000)
def is_list_section(heading: str) -> bool:
    """Whether a section of this name lists works, links or notes (``注释与参考文献`` does too)."""
    name = _APPENDED.sub("", folded(heading))
    words = [word for word in _SEPARATORS.split(name) if word]
    return bool(words) and (all(map(_LIST.fullmatch, words)) or bool(_LIST.fullmatch("".join(words))))
