# make study   the whole pipeline on the offline sample, figures and a table at the end
# make test    the tests
# Both set everything up first; `make help` lists the rest.

PYTHON ?= python3
PART := check
MINUTES := 10
STUDY := runs/quickstart
LONG := runs/long
CAUSAL := runs/causal/quickstart
FIGURES := results
HEADLINE := results/training_history_100k.json
RUNS := 50k quickstart causal long
histories = $(patsubst %,results/%/training_history.json,$(1))
LADDER := $(call histories,$(patsubst %,study/cosine_%_seed_42,100000 50000 25000 12500))
SEEDS := $(call histories,$(patsubst %,study/seed_%,42 43 44 45 46))
BASELINE := $(call histories,50k)
PY := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help study study-causal study-long test test-slow test-gpu gpu figures figures-check test-browser test-wiki backtest seed-ladder seed-quick lint setup clean

## study: run every stage on the offline sample (3 to 5 minutes on two CPU cores)
study: .venv/study
	$(PY) rare_char_fetch.py --source sample --output $(STUDY)/dataset.json
	$(PY) verify_dataset.py $(STUDY)/dataset.json --report $(STUDY)/verification.json \
	    --min-sentences 23500 --min-han 3900 --min-common-han 2700 --min-articles 120 --min-pairs 23000 \
	    --max-unknown 0.0012 --min-topics 1 --max-largest-topic 1 --min-level-1 0.66 --min-level-2 0.12 \
	    --min-level-3 0.01
	$(PY) train_large_100k.py --preset quickstart --dataset $(STUDY)/dataset.json \
	    --checkpoint-dir $(STUDY)/checkpoints --history $(STUDY)/training_history.json --final $(STUDY)/final.pth
	$(PY) check_progress.py --history $(STUDY)/training_history.json
	$(PY) analyze_100k.py --history $(STUDY)/training_history.json --output $(STUDY)/analysis.json
	$(PY) visualize_results.py --history $(STUDY)/training_history.json --analysis $(STUDY)/analysis.json \
	    --output-dir $(STUDY)

## study-causal: a causal language model on the offline sample, figures and a sample of its text (2 minutes)
study-causal: .venv/study
	$(PY) rare_char_fetch.py --source sample --output $(CAUSAL)/dataset.json
	$(PY) train_causal_lm.py --preset quickstart --dataset $(CAUSAL)/dataset.json --checkpoint-dir $(CAUSAL)/checkpoints \
	    --history $(CAUSAL)/training_history.json --final $(CAUSAL)/final.pth --best $(CAUSAL)/best.pth \
	    --prompt 却说曹操 --prompt 玄德曰 --sample-length 40
	$(PY) check_progress.py --history $(CAUSAL)/training_history.json
	$(PY) analyze_100k.py --history $(CAUSAL)/training_history.json --output $(CAUSAL)/analysis.json
	$(PY) visualize_results.py --history $(CAUSAL)/training_history.json --analysis $(CAUSAL)/analysis.json \
	    --output-dir $(CAUSAL)
	$(PY) generate_text.py $(CAUSAL)/final.pth --prompt 却说曹操 --length 160

## study-long: a longer run on the offline sample, on one thread, so the same on any number of cores (10 to 20 minutes)
study-long: .venv/study
	$(PY) rare_char_fetch.py --source sample --output $(LONG)/dataset.json
	OMP_NUM_THREADS=1 $(PY) train_large_100k.py --preset quickstart --steps 10000 \
	    --dataset $(LONG)/dataset.json --checkpoint-dir $(LONG)/checkpoints \
	    --history $(LONG)/training_history.json --final $(LONG)/final.pth
	$(PY) evaluate_checkpoints.py --dataset $(LONG)/dataset.json --checkpoint-dir $(LONG)/checkpoints \
	    --history $(LONG)/training_history.json --output $(LONG)/checkpoint_evaluation.json
	$(PY) analyze_100k.py --history $(LONG)/training_history.json --output $(LONG)/analysis.json
	$(PY) visualize_results.py --history $(LONG)/training_history.json --analysis $(LONG)/analysis.json \
	    --output-dir $(LONG)

# Runs are promised to be exact to the last bit on the CPU alone, so these two see no GPU.
test test-slow: export CUDA_VISIBLE_DEVICES =

## test: run the fast tests, a process a core, each with one thread
test: export OMP_NUM_THREADS = 1
test: .venv/dev
	$(PY) -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile -m "not slow and not wiki and not figures"

## test-slow: run the tests that take minutes (kills, whole studies)
test-slow: .venv/dev
	$(PY) -m pytest -m "slow and not wiki and not browser"

## test-gpu: the tests of training on a device, with the GPU of this machine
test-gpu: .venv/dev
	$(PY) -m pytest tests/train/test_devices.py

## gpu: for whoever has a GPU and torch 2.11: make gpu PY=python MINUTES=10 PART=check, train or causal; installs nothing
gpu:
	$(PY) study/gpu.py $(PART) --minutes $(MINUTES) $(GPU_OPTIONS)

## figures: analyse and draw the committed histories of results/ again
figures: .venv/study
	$(PY) analyze_100k.py --history $(HEADLINE) --baseline $(BASELINE) --output $(FIGURES)/analysis_100k_result.json
	for run in $(RUNS); do \
	    $(PY) analyze_100k.py --history results/$$run/training_history.json --output $(FIGURES)/$$run/analysis.json || exit; \
	done
	$(PY) analyze_100k.py --history $(LADDER) --output $(FIGURES)/ladder/analysis.json
	$(PY) analyze_100k.py --history $(SEEDS) --output $(FIGURES)/seeds/analysis.json
	$(PY) study/objectives.py $(firstword $(LADDER)) $(call histories,causal) --output-dir $(FIGURES)/objectives
	$(PY) visualize_results.py --history $(HEADLINE) $(LADDER) --baseline $(BASELINE) \
	    --analysis $(FIGURES)/analysis_100k_result.json --output-dir $(FIGURES) --lang both \
	    --contents $(FIGURES)/figures.json

## figures-check: hold the committed analyses, figures and reports to what the committed histories give
figures-check: .venv/dev
	$(PY) -m pytest -m figures

## test-browser: look at the report page in headless Chromium (Debian's chromium and fonts-noto-cjk)
test-browser: .venv/dev
	$(PY) -m pytest -m browser

## test-wiki: run the API source and the dump reader against a real MediaWiki on this machine (Debian, as root)
test-wiki: .venv/dev
	$(PY) -m pytest -m wiki

## backtest: how often the forecast's interval holds, on the committed runs or HISTORIES=DIR, and on simulations (minutes)
backtest: .venv/study
	$(PY) benchmarks/forecast.py $(if $(HISTORIES),--histories $(HISTORIES))
	$(PY) benchmarks/simulated_forecast.py --runs 200

## seed-ladder: every rung of the seed predictor (up to 60 minutes on two cores); TEXTS="--text NAME=FILE --book NAME=FILE ..." adds texts
seed-ladder: .venv/dev
	$(PY) study/seed/ladder.py --output runs/seed/ladder.json $(TEXTS)

## seed-quick: the same in two minutes, to see that every rung works
seed-quick: .venv/dev
	$(PY) study/seed/ladder.py --quick --again --output runs/seed/quick.json --rungs speed sequences grid modalities open

## lint: check style, formatting, types, and that imports run downwards only
lint: .venv/dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

## setup: create .venv and install what study and test need; nothing happens when it is up to date
setup: .venv/study .venv/dev

# Each stamp is touched last, so an interrupted installation is taken up again.
.venv/study: requirements.txt requirements-sample.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --disable-pip-version-check -r requirements.txt
	$(PY) -m pip install --disable-pip-version-check --no-deps -r requirements-sample.txt
	touch $@

.venv/dev: .venv/study requirements-dev.txt requirements-parquet.txt requirements-seed.txt requirements-interactive.txt
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "The tests need Python 3.11 or newer (the stages run on 3.10): rm -rf .venv, then make PYTHON=python3.11 ...")'
	$(PY) -m pip install --disable-pip-version-check -r requirements-dev.txt
	touch $@

## clean: remove the quickstart run (the virtual environment stays)
clean:
	rm -rf $(STUDY)

help:
	@sed -n 's/^## //p' $(MAKEFILE_LIST)
