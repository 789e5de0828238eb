"""The offline sample."""

from pipeline.collect.sample import SAMPLE_TITLE, read_sample


def test_sample_is_the_novel_in_order():
    chapters = list(read_sample())
    assert len(chapters) == 120
    assert chapters[0].title.startswith(f"{SAMPLE_TITLE} 第一回")
    assert {(chapter.source, chapter.license) for chapter in chapters} == {(SAMPLE_TITLE, "public domain")}
    assert all(chapter.paragraphs and all(chapter.paragraphs) for chapter in chapters)
