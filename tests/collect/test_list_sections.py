"""Headings of sections that list works, links and notes, in either script and mixed."""

import pytest

from pipeline.collect.api.extracts import extract_paragraphs
from pipeline.collect.list_sections import is_list_section

LISTS = """
参考文献 參考文獻 参考文獻 參考资料 参考來源 参考书目 參考網頁 引用資料來源 资料來源 来源 引註 出典
注释 註釋 注釋 註解 腳註 脚註 附注 備註 註 注释与参考文献 注释及參考資料 参考资料、注释 註釋和參考
参见 參見 参閱 另見 相关條目 關聯条目 相關連結 相关链接 参见与外部連結
外部链接 外部連結 外部连結 外部網站 官方網站 外部鏈接 外部网站链接 友情链接 外部資源 延伸閱讀與外部連結
延伸阅读 延伸閱讀 延伸閲讀 擴展阅读 进一步閱讀 推薦閱讀 研究書目 相關書目 研究文獻 主要参考文献 References
外部鏈結 相關網址 参考阅读 延伸資料 擴展书目 參考文獻一覽 文內註釋 註譯 補註 引據 備考 參引 原文出處 參見条目
參攷资料 參考文獻（部分） 注释(Notes) 注释1 参考文献： 内部連結
"""
APART = ["註 釋", "参 考 資 料", "参考文献 外部链接", "See also", "External links, references"]
TEXTS = """
参考系 注释学 历史 来源与演变 与 文献学 链接器 阅读 主要著作 研究 书目分类 官方 外部结构
延伸 資料庫 参见皇帝 考据 内部 引力 出处不明 历史（部分） 第1 2010
"""


@pytest.mark.parametrize("heading", [*LISTS.split(), *APART])
def test_sections_of_lists(heading):
    assert is_list_section(heading)
    assert extract_paragraphs(f"== {heading} ==\n某书。") == []


@pytest.mark.parametrize("heading", TEXTS.split())
def test_sections_of_text(heading):
    assert not is_list_section(heading)
    assert extract_paragraphs(f"== {heading} ==\n正文。") == ["正文。"]
