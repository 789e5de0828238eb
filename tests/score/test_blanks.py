"""Sentences with a blank: how they are written, and what a model puts in."""

import pytest
import torch

from pipeline.data.tokenizer import MASK, UNK, Tokenizer
from pipeline.files.scores import Blank
from pipeline.model.bert import Bert, Shape
from pipeline.model.precision import Precision
from pipeline.score import blanks
from pipeline.score.blanks import blank_of, fill, fixed_blanks, read_blanks
from pipeline.stage import InputError

CPU = Precision("fp32", torch.device("cpu"))


def test_a_blank_stands_around_what_belongs_there():
    assert blank_of("北京是中国的首[都]。", "") == Blank("北京是中国的首", "。", "都")
    assert blank_of("[MASK]京", "") == Blank("", "京", None)
    assert all(blank.right for blank in fixed_blanks())


@pytest.mark.parametrize("sentence", ["北京", "[北]京[市]", "首[都城]。", "首[]。", "首[都"])
def test_other_than_one_blank_is_refused_with_its_place(tmp_path, sentence):
    path = tmp_path / "sentences.txt"
    path.write_text(f"首[都]\n\n{sentence}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"sentences\.txt:3: needs one blank"):
        read_blanks(path)


def test_files_of_sentences(tmp_path):
    path = tmp_path / "s.txt"
    with pytest.raises(InputError, match="are missing"):
        read_blanks(path)
    path.write_text("\n \n", encoding="utf-8")
    with pytest.raises(InputError, match="holds no sentence"):
        read_blanks(path)
    path.write_bytes("首[都]".encode("gbk"))
    with pytest.raises(InputError, match="not UTF-8"):
        read_blanks(path)
    path.write_text("\ufeff首[都]\n大[MASK]", encoding="utf-8")
    assert read_blanks(path) == [Blank("首", "", "都"), Blank("大", "", None)]


@pytest.fixture
def model():
    torch.manual_seed(3)
    return Bert(Shape(12, 1, 16, 2, 32, 8, 0.0, 0.0, 0.5, "bert"))


def test_a_model_fills_a_blank_from_both_sides(model):
    tokenizer = Tokenizer(list("首都大学北京市"))
    seen = []
    model.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    first, unknown, open_ = fill(
        model, tokenizer, [Blank("首", "北京", "都"), Blank("大", "", "河"), Blank("", "市")], CPU
    )
    assert [tokenizer.tokens[number] for number in seen[0].tokens] == ["[CLS]", "首", "[MASK]", "北", "京", "[SEP]"]
    with torch.no_grad():
        shares = model.eval()(seen[0])[0][0].softmax(-1)
    assert first.right == pytest.approx(float(shares[6]))
    best = sorted(range(5, 12), key=lambda number: -float(shares[number]))[: blanks.SHOWN]
    assert first.characters == [tokenizer.tokens[number] for number in best]
    assert first.probabilities == pytest.approx([float(shares[number]) for number in best])
    assert (unknown.right, open_.right) == (None, None)
    assert seen[1].labels.tolist() == [UNK]
    assert int(seen[2].tokens[1]) == MASK


def test_a_sentence_longer_than_the_model_takes(model):
    with pytest.raises(InputError, match="10 tokens, but the model takes 8"):
        fill(model, Tokenizer(list("首都")), [Blank("首都首都", "首都首")], CPU)
