# The course's commands. Each makes the .venv it needs; nothing is installed elsewhere,
# except that as root on Debian or Ubuntu (containers, CI) the two system tools are.
#   make book          build the book, warnings as errors
#   make test          run every test
#   make serve         build the book and serve it on http://localhost:8000
#   make exercises     generate the students' notebooks and register the assignments with nbgrader
#   make handout       what may be given to students: handout/ and one zip for each exercise
#   make class-demo    a sample class: released, handed in, graded, fed back, exported
#   make bench         time lstmlib beside nn.LSTM on this CPU (bench-cuda: on its GPU)
#   make experiments   repeat the recorded training runs that pages quote (an hour or more)
#   make pins          renew constraints.txt from what .venv holds
#   make clean         remove all that these commands made
# Variables: PYTHON=python3.12 picks the interpreter; TORCH=cpu takes PyTorch's CPU wheels instead of
# gigabytes of CUDA; PORT=8001 for serve; ARGS="..." is handed on to the program behind a target.

PYTHON ?= python3
TORCH ?=
PORT ?= 8000
ARGS ?=

BIN := $(CURDIR)/.venv/bin
export PATH := $(BIN):$(PATH)
# The pages' and exercises' matrices are too small for a second thread to help.
export OMP_NUM_THREADS ?= 1
SHOWN := $(wildcard lstmlib/*.py quizzes/*.yml benchmarks/results/*.json solutions/*/mutants/*.py)

.DEFAULT_GOAL := help
.PHONY: help book test serve exercises handout class-demo bench bench-cuda experiments pins clean chromium bubblewrap

help:
	@sed -n 's/^#   //p' Makefile

# A system tool: $(call system_tool,commands that will do,Debian package,what needs it)
define system_tool
@for tool in $(1); do command -v $$tool >/dev/null 2>&1 && exit 0; done; \
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	echo "Installing $(2): $(3) need it."; \
	{ apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y install $(2); } >/dev/null 2>&1 \
	|| echo "$(2) is missing and apt-get could not install it (no network?). By hand: apt-get install $(2)"; \
else \
	echo "$(2) is missing: $(3) need it. Debian/Ubuntu: sudo apt-get install $(2)"; \
fi
endef

chromium:
	$(call system_tool,chromium chromium-browser google-chrome,chromium,the page tests)

bubblewrap:
	$(call system_tool,bwrap,bubblewrap,grading and its tests)

.venv/.ready: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null 2>&1 || { echo "There is no '$(PYTHON)' here: the course needs Python 3.11 to 3.13 (make PYTHON=/path/to/python3.12)." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 14) else "Python %d.%d will not do: the course needs 3.11 to 3.13. Name one: make PYTHON=python3.12" % v)'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module. Debian/Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up .venv (a minute or two; plain torch with CUDA takes longer, TORCH=cpu avoids it)."
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip --disable-pip-version-check install --quiet --retries 1 \
		$(if $(TORCH),--extra-index-url https://download.pytorch.org/whl/$(TORCH)) \
		--constraint constraints.txt --editable '.[book,grading,test,bench]' 2>.venv/pip.log \
	|| { if grep -qiE 'connection|name resolution|timed out|unreachable|proxy|retrying' .venv/pip.log; \
	     then echo "No packages could be fetched: pip reached no package index. Connect to a network, or name a mirror in PIP_INDEX_URL (pip's words: .venv/pip.log)." >&2; \
	     else cat .venv/pip.log >&2; fi; exit 1; }
	@touch $@

# Pages are executed once and cached by their own text, so a change to what they show must empty the cache.
_build/.executed-with: .venv/.ready $(SHOWN)
	@rm -rf _build/.jupyter_cache _build/.doctrees && mkdir -p _build && touch $@

book: .venv/.ready _build/.executed-with
	@jupyter-book build . -W -n --keep-going $(ARGS)
	@echo "The book: file://$(CURDIR)/_build/html/index.html"

test: .venv/.ready chromium bubblewrap
	@python -m pytest $(ARGS)

serve: book
	@echo "http://localhost:$(PORT)  (Ctrl-C ends it)"
	@python -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

exercises: .venv/.ready
	@python -m grading release $(ARGS)

handout: .venv/.ready
	@python -m grading handout $(ARGS)

class-demo: .venv/.ready bubblewrap
	@python -m grading demo $(ARGS)

bench: .venv/.ready
	@python -m benchmarks.layers --device cpu $(ARGS)

experiments: .venv/.ready
	@python -m benchmarks.experiments $(ARGS)

bench-cuda: .venv/.ready
	@python -m benchmarks.layers --device cuda $(ARGS)

pins: .venv/.ready
	@{ sed -n '/^#/p' constraints.txt; pip freeze --all --exclude-editable | grep -viE '^(pip|wheel)==' | sed 's/+cpu$$//'; } > .venv/pins && mv .venv/pins constraints.txt

clean:
	@rm -rf .venv _build handout handout.zip exchange *.egg-info .pytest_cache .hypothesis .nbgrader.log solutions/*/*.ipynb
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
