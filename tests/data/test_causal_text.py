"""How a text is read, split and encoded for a causal model."""

import gzip

import pytest

from pipeline.data.alphabet import END
from pipeline.data.causal_text import build_causal_corpora
from pipeline.data.raw_text import read_raw_text
from pipeline.data.splits import split_by_article
from pipeline.stage import InputError
from tests.helpers.causal import tiny_text
from tests.helpers.tiny import tiny_dataset


def write(folder, **texts):
    paths = []
    for name, text in texts.items():
        paths.append(folder / f"{name}.txt")
        paths[-1].write_text(text, encoding="utf-8")
    return paths


def built(dataset, level="char", white_space=True, length=8, held_out=0.2):
    return build_causal_corpora(dataset, "here", level=level, white_space=white_space, length=length, held_out=held_out)


def texts(split):
    return [article.text for article in split.articles]


def test_raw_wikitext_is_cut_at_the_titles_of_articles(tmp_path):
    text = " \n = One = \n \n = = Part = = \n word \n = Two ( x ) = \n more\n"
    read = read_raw_text(write(tmp_path, a=text))
    assert "".join(read.sentences) == text
    assert read.sentences[1] == " = Two ( x ) = \n more\n"
    assert [document.title for document in read.documents] == ["One", "Two ( x )"]


def test_any_other_file_is_one_document(tmp_path):
    paths = write(tmp_path, a="x\r\ny\n = One = \n", b="z")
    read = read_raw_text(paths)
    assert read.sentences == ["x\ny\n = One = \n", "z"]
    assert [document.title for document in read.documents] == ["a.txt", "b.txt"]
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(b"z"))
    assert read_raw_text([paths[0], tmp_path / "b.txt.gz"]).fingerprint() == read.fingerprint()


@pytest.mark.parametrize(("content", "said"), [("", "is empty"), (" \n\t", "is empty"), (b"\xff", "not UTF-8")])
def test_files_without_text(tmp_path, content, said):
    path = tmp_path / "a.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=said):
        read_raw_text([path])


def test_documents_are_held_out_as_for_bert(tmp_path):
    dataset = tiny_dataset()
    corpora = built(dataset, white_space=False, held_out=0.1)
    splits = split_by_article(dataset, 0.1)
    for name in ("train", "validation", "test"):
        found = getattr(corpora, name)
        documents = getattr(splits, name)
        assert texts(found) == ["".join(dataset.sentences[d.start : d.start + d.count]) for d in documents]
        assert [article.page for article in found.articles] == [d.page for d in documents]
    assert corpora.held_out_by == "document"
    assert corpora.alphabet.characters == "".join(dataset.vocab)
    assert corpora.train.counts().words is None
    read = read_raw_text(write(tmp_path, a=tiny_text()))
    parts = built(read)
    assert sorted(texts(parts.train) + texts(parts.validation) + texts(parts.test)) == sorted(read.sentences)


def test_a_single_document_gives_its_last_two_blocks(tmp_path):
    text = "".join(chr(97 + number % 26) for number in range(1000))
    for paths in (write(tmp_path, a=text), write(tmp_path, b=text[:600], c=text[600:])):
        corpora = built(read_raw_text(paths), held_out=0.02)
        assert texts(corpora.train) == [text[:960]]
        assert texts(corpora.validation) == [text[960:980]]
        assert texts(corpora.test) == [text[980:]]
        assert corpora.held_out_by == "block"


def test_files_may_be_held_out(tmp_path):
    paths = write(tmp_path, a=tiny_text(3), v="a val\n", t="a test\n")
    corpora = built(read_raw_text(paths[:1], paths[1:]))
    assert texts(corpora.validation) == ["a val\n"]
    assert texts(corpora.test) == ["a test\n"]
    assert "".join(texts(corpora.train)) == tiny_text(3)
    assert corpora.held_out_by == "file"
    assert set(corpora.alphabet.characters) == set(tiny_text(3))  # what only held-out text has is unknown


def test_symbols_lie_between_ends(tmp_path):
    corpora = built(read_raw_text(write(tmp_path, a=tiny_text())))
    train = corpora.train
    assert train.symbols[train.borders].tolist() == [END] * (len(train.articles) + 1)
    for article, start, end in zip(train.articles, train.borders, train.borders[1:], strict=False):
        assert corpora.alphabet.decode(train.symbols[start + 1 : end].tolist()) == article.text
    assert train.targets == sum(map(len, texts(train))) + len(train.articles)


def test_counts(tmp_path):
    paths = write(tmp_path, a="ab cd\n" * 30, v="é two  words\n", t="天地人 是\n")
    corpora = built(read_raw_text(paths[:1], paths[1:]), level="byte")
    assert vars(corpora.validation.counts()) == {"characters": 13, "bytes": 14, "words": 3, "han": 0}
    assert vars(corpora.test.counts()) == {"characters": 6, "bytes": 14, "words": None, "han": 4}


def test_too_little_text(tmp_path):
    short = read_raw_text(write(tmp_path, a="abcdefghij" * 5))
    with pytest.raises(InputError, match=r"here: has 30 characters for training, fewer than one window of --length 31"):
        built(short, length=31)
    built(short, length=30)
    with pytest.raises(InputError, match="no text is left for validation"):
        built(read_raw_text(write(tmp_path, a="ab")), length=1)
