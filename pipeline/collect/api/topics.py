"""The 59 topics that a fetch covers, chosen so that rare characters come along with ordinary knowledge.

Names, places, creatures, vessels, rites, scripts and the classics are where rare characters live; science, history and
daily life keep the text from being made of them. The name of a topic is the ``domain`` of its documents.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """A topic: what the full-text search is asked for, and the categories that are walked."""

    name: str
    searches: tuple[str, ...]
    categories: tuple[str, ...]


def _topics(table: str) -> tuple[Topic, ...]:
    rows = [[cell.split() for cell in line.split("|")] for line in table.strip().splitlines()]
    return tuple(Topic(name, tuple(searches), tuple(categories)) for [name], searches, categories in rows)


# name | searches | categories
TOPICS = _topics("""
    姓氏 | 姓氏 百家姓 | 姓氏 漢字姓氏
    名号 | 表字 别号 | 人名 中国人名
    地名 | 地名 镇 村 | 地名 中国地名
    郡县 | 郡 县治 | 中国古代郡 中国古代的县
    都城 | 都城 城邑 | 中国古都 已不存在的城市
    山岳 | 山脉 山峰 | 山峰 中国山脉
    河流 | 河流 支流 | 河流 中国河流
    湖海 | 湖泊 海湾 | 湖泊 海湾
    岛屿 | 岛屿 群岛 | 岛屿 群島
    鱼类 | 鱼类 鲤科 | 鱼类 鲤科
    鸟类 | 鸟类 雀形目 | 鸟类 雀形目
    昆虫 | 昆虫 甲虫 | 昆虫 鞘翅目
    兽类 | 哺乳动物 啮齿 | 哺乳动物 食肉目
    两栖爬行 | 蛙 蜥蜴 蛇 | 两栖动物 爬行动物
    贝类 | 贝类 螺 甲壳 | 软体动物 甲壳亚门
    树木 | 乔木 灌木 | 树 木兰类植物
    花卉 | 花卉 兰花 | 花卉 兰科
    草药 | 本草 药材 | 中草药 药用植物
    中医 | 中医 穴位 | 中医 经络
    谷蔬 | 谷物 蔬菜 水果 | 谷物 蔬菜 水果
    饮食 | 菜肴 小吃 | 中国菜 点心
    茶酒 | 茶 酒 | 茶 中国酒
    青铜器 | 青铜器 铭文 | 中国青铜器 金文
    陶瓷 | 瓷器 陶器 窑 | 中国陶瓷 瓷器
    玉石 | 玉器 宝石 | 玉器 宝石
    器皿 | 器皿 漆器 | 容器 漆器
    兵器 | 兵器 弓弩 | 冷兵器 中国古代兵器
    车马舟船 | 马车 帆船 | 车辆 船舶类型
    服饰 | 服饰 冠冕 | 汉服 服装
    纺织 | 纺织 丝绸 | 纺织 絲綢
    建筑 | 建筑 斗拱 | 中国建筑 建筑元素
    园林 | 园林 亭台 | 中国园林 公园
    乐器 | 乐器 古琴 | 中國樂器 乐器
    戏曲 | 戏曲 杂剧 | 戏曲 中国戏曲
    书法绘画 | 书法 山水画 | 书法 中国画
    文字 | 汉字 甲骨文 部首 | 汉字 文字
    音韵 | 音韵 反切 韵母 | 音韵学 韵书
    诗词 | 格律 词牌 | 诗 词牌
    经籍 | 经学 注疏 | 儒家经典 中国古代典籍
    史书 | 史书 列传 | 史书 二十四史
    帝王谥号 | 谥号 庙号 | 中国皇帝 谥号
    官职 | 官职 刺史 | 中国古代官制 中国古代官职
    礼制 | 礼制 祭祀 | 礼 祭祀
    神话 | 神话 山海经 | 中国神话 神话
    道教 | 道教 炼丹 | 道教 道教神祇
    佛教 | 佛教 佛经 | 佛教 佛經
    民俗 | 民俗 节日 | 民俗 中国传统节日
    民族 | 民族 部落 | 民族 中国古代民族
    语言方言 | 方言 语言 | 汉语方言 语言
    星官 | 星官 恒星 | 星官 恒星
    历法 | 历法 干支 | 历法 干支
    数学 | 数学 定理 | 数学 数学定理
    物理 | 物理 粒子 | 物理学 粒子物理学
    化学 | 化学 元素 化合物 | 化学元素 有机化合物
    地质 | 地质 矿物 | 矿物 地质学
    医学 | 医学 疾病 | 医学 疾病
    技术 | 计算机 工程 | 计算机科学 工程学
    近代史 | 战争 革命 | 中国近代史 世界近代史
    经济社会 | 经济 法律 体育 | 经济学 法律 体育
""")
