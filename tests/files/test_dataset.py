"""The dataset: how articles become one, and how its file is written, read and refused."""

import bz2
import gzip
import json
import lzma

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.collect.article import Article
from pipeline.collect.compiler import Limits, compile_dataset
from pipeline.files import atomic
from pipeline.files.dataset import Dataset, Document, read_dataset, write_dataset
from pipeline.files.vocabulary import build_vocab, count_characters
from pipeline.stage import InputError
from tests.helpers.tiny import tiny_dataset

LIMITS = Limits(min_length=4, max_length=20, min_freq=1)


def article(*paragraphs, title="小镇", **more):
    return Article(title=title, paragraphs=list(paragraphs), source="自撰", **more)


def compiled(articles, limits):
    return compile_dataset(articles, limits).dataset()


# --- compiling -----------------------------------------------------------------------------------


def test_sentences_keep_their_order_and_documents_slice_them():
    dataset = compiled(
        [article("小镇在河边。河上有桥。", "桥很旧了。", pageid=7), article("山上有雪。", title="雪山", domain="地理")],
        LIMITS,
    )
    assert dataset.sentences == ["小镇在河边。", "河上有桥。", "桥很旧了。", "山上有雪。"]
    assert dataset.documents == [
        Document("小镇", 0, 7, None, "", "自撰", 0, 3),
        Document("雪山", 1, None, None, "地理", "自撰", 3, 1),
    ]
    assert dataset.metadata["domains"] == ["地理"]


@pytest.mark.parametrize("dropped", ["短。", "没" * 30 + "。", "abc def.", "河上有桥。"])
def test_a_dropped_sentence_splits_its_document_there(dropped):
    dataset = compiled([article("河上有桥。", "桥很旧了。", dropped, "水很清澈。", "鱼很多啊。")], LIMITS)
    assert dropped not in dataset.sentences[1:]
    assert [(document.page, document.start, document.count) for document in dataset.documents] == [(0, 0, 2), (0, 2, 2)]


def test_a_repeat_in_another_article_is_dropped_and_counted():
    dataset = compiled([article("河上有桥。桥很旧了。"), article("河上有桥。水很清澈。", "短。")], LIMITS)
    assert dataset.sentences == ["河上有桥。", "桥很旧了。", "水很清澈。"]
    assert dataset.metadata["deduplication_rate"] == 1 / 4  # of the sentences that fit, so 短。 does not count
    assert dataset.metadata["sentence_count"] == 3
    assert dataset.metadata["vocab_size"] == len(set("河上有桥很旧了水清澈"))
    assert dataset.metadata["avg_sentence_length"] == 5


def test_white_space_is_made_one_blank():
    assert compiled([article(" 河上　　有\t桥。\n")], LIMITS).sentences == ["河上 有 桥。"]


def test_reading_stops_at_the_article_that_meets_all_targets():
    def articles():
        for name in "甲乙丙丁戊":
            yield article(f"{name}在河边。{name}在山上。", title=name)

    def titles(**targets):
        dataset = compiled(articles(), Limits(4, 20, 1, **targets))
        return "".join(document.title for document in dataset.documents)

    assert titles(target_sentences=3) == "甲乙"
    assert titles(target_vocab=8) == "甲乙丙"  # 在河边山上, and one name an article
    assert titles(target_sentences=3, target_vocab=9) == "甲乙丙丁"
    assert titles() == "甲乙丙丁戊"


@given(st.lists(st.lists(st.text(alphabet="天地人。！a ", max_size=15), max_size=5), max_size=5))
def test_compiled_documents_are_runs_of_their_articles(texts):
    dataset = compiled([article(*paragraphs) for paragraphs in texts], Limits(2, 6, 1))
    assert len(set(dataset.sentences)) == len(dataset.sentences)
    assert sum(document.count for document in dataset.documents) == len(dataset.sentences)
    assert dataset.vocab == build_vocab(count_characters(dataset.sentences), 1)
    for document in dataset.documents:
        run = dataset.sentences[document.start : document.start + document.count]
        whole = "".join("".join(texts[document.page]).split())
        assert "".join("".join(run).split()) in whole


# --- the vocabulary ---------------------------------------------------------------------------------


def test_vocabulary_is_by_frequency_then_code_point():
    assert build_vocab(count_characters(["乙甲甲。 ", "丁乙a\n甲"]), 1) == ["甲", "乙", "a", "。", "丁"]
    assert build_vocab(count_characters(["乙甲甲。 ", "丁乙a\n甲"]), 2) == ["甲", "乙"]


# --- the file ---------------------------------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
identifiers = st.none() | st.integers(min_value=0)


@st.composite
def datasets(draw):
    counts = draw(st.lists(st.integers(1, 4), max_size=5))
    gap = draw(st.integers(0, 2))  # sentences that belong to no document
    sentences = draw(st.lists(texts, min_size=max(sum(counts) + gap, 1), max_size=sum(counts) + gap + 1))
    documents = []
    start = gap
    for count in counts:
        documents.append(
            Document(
                draw(texts),
                draw(st.integers(0, 9)),
                draw(identifiers),
                draw(identifiers),
                draw(texts),
                "",
                start,
                count,
            )
        )
        start += count
    visible = st.characters(exclude_categories=["Cs"]).filter(lambda character: not character.isspace())
    vocab = draw(st.lists(visible, min_size=1, unique=True))
    return Dataset(sentences, vocab, documents, draw(st.dictionaries(texts, st.integers() | texts)))


@settings(max_examples=50)
@given(dataset=datasets())
def test_a_dataset_comes_back_as_it_was(tmp_path_factory, dataset):
    path = tmp_path_factory.mktemp("dataset") / "dataset.json"
    write_dataset(path, dataset)
    again = read_dataset(path)
    assert again == dataset
    assert again.fingerprint() == dataset.fingerprint()


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)])
def test_a_packed_dataset_is_read_too(tmp_path, ending, pack):
    dataset = Dataset(["天地人和。"], ["天"])
    write_dataset(tmp_path / "dataset.json", dataset)
    path = tmp_path / f"dataset.json{ending}"
    path.write_bytes(pack((tmp_path / "dataset.json").read_bytes()))
    assert read_dataset(path) == dataset
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=f"{ending[1:]}: damaged or cut short"):
        read_dataset(path)


def test_vocab_txt_is_written_beside_it(tmp_path):
    write_dataset(tmp_path / "dataset.json", Dataset(["天地。"], ["天", "地"]))
    lines = (tmp_path / "vocab.txt").read_text(encoding="utf-8").split("\n")
    assert lines == ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "天", "地", ""]


def test_the_fingerprint_depends_on_what_training_sees_only():
    base = tiny_dataset()
    changed = [
        Dataset(["天。", *base.sentences[1:]], base.vocab, base.documents),
        Dataset(base.sentences, base.vocab[::-1], base.documents),
        Dataset(base.sentences, base.vocab, base.documents[1:]),
    ]
    prints = {dataset.fingerprint() for dataset in (base, *changed)}
    assert len(prints) == 4
    assert Dataset(base.sentences, base.vocab, base.documents, {"created": "later"}).fingerprint() == base.fingerprint()


def test_the_published_format_is_read(tmp_path):
    path = tmp_path / "published.json"
    path.write_text(json.dumps({"sentences": ["天地人和。"], "vocab": ["天"], "extra": 1}), encoding="utf-8")
    assert read_dataset(path) == Dataset(["天地人和。"], ["天"])


DOCUMENT = {"title": "", "page": 0, "pageid": None, "revid": None, "domain": "", "source": "", "start": 0, "count": 2}
GOOD = {
    "sentences": ["天在上。", "地在下。", "人在中。"],
    "vocab": ["在", "。"],
    "documents": [DOCUMENT],
    "metadata": {},
}


def second(**changes):
    return {"documents": [DOCUMENT, {**DOCUMENT, "start": 2, "count": 1, **changes}]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sentences": None}, "'sentences' must be a list"),
        ({"sentences": []}, "is empty"),
        ({"sentences": ["天在上。", 5]}, r"sentences\[1\] must be a string, not int"),
        ({"vocab": "在。"}, "'vocab' must be a list"),
        ({"vocab": []}, "empty vocab"),
        ({"vocab": ["在", "天地"]}, r"vocab\[1\] is '天地'"),
        ({"vocab": ["在", " "]}, r"vocab\[1\] is ' '"),
        ({"vocab": ["在", "在"]}, "repeats a character"),
        ({"metadata": []}, "metadata must be an object"),
        ({"documents": {}}, "'documents' must be a list"),
        ({"documents": [3]}, r"documents\[0\] must be an object"),
        (second(page=None), r"documents\[1\] needs an integer 'page'"),
        (second(count=True), r"documents\[1\] needs an integer 'count'"),
        (second(title=7), r"documents\[1\] needs a string 'title'"),
        (second(pageid="7"), r"documents\[1\] needs an integer or null 'pageid'"),
        (second(count=0), r"documents\[1\] takes sentences 2 to 2"),
        (second(count=2), r"documents\[1\] takes sentences 2 to 4"),
        (second(start=1), r"documents\[1\] takes sentences 1 to 2"),
        (second(start=-1), r"documents\[1\] takes sentences -1 to 0"),
    ],
)
def test_a_malformed_dataset_is_refused_and_the_place_named(tmp_path, changes, message):
    path = tmp_path / "dataset.json"
    atomic.write_json(path, {**GOOD, **second()})
    assert len(read_dataset(path).documents) == 2
    atomic.write_json(path, {**GOOD, **changes})
    with pytest.raises(InputError, match=message) as caught:
        read_dataset(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "broken JSON at line 1 column 1"),
        (b'{"sentences": [\n"a",\n', "broken JSON at line 3"),
        (b'{"sentences": ["\xff"]}', "not UTF-8 at byte 16"),
        (b"[1]", "must be a JSON object, not list"),
        (b"{}", "has no 'sentences'"),
        (b'{"sentences": ["a"]}', "has no 'vocab'"),
        (b'{"a":' * 100_000, "brackets too deep"),
        (b'{"a": ' + b"1" * 5000 + b"}", "numbers too long"),
        (rb'{"sentences": ["ab\ud800"], "vocab": ["a"]}', "half a character"),
    ],
)
def test_a_file_that_is_no_dataset_is_refused(tmp_path, data, message):
    path = tmp_path / "dataset.json"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_dataset(path)


def test_a_missing_dataset_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match=r"absent\.json: .*rare_char_fetch"):
        read_dataset(tmp_path / "absent.json")


def test_a_dataset_that_cannot_be_written_keeps_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "dataset.json"
    write_dataset(path, tiny_dataset())
    before = path.read_bytes()

    def fail(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write_dataset(path, tiny_dataset(5))
    assert path.read_bytes() == before
    assert sorted(found.name for found in tmp_path.iterdir()) == ["dataset.json", "vocab.txt"]
