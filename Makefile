# Two commands matter: `make demo` and `make test`. Both install what is missing and say so, as root or with sudo.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY_DEMO := $(VENV)/.ready-demo
READY_TEST := $(VENV)/.ready-test
READY_PACKAGES := $(VENV)/.ready-packages
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c installers/constraints.txt
# A plain path entry: the import hook of newer editable installs costs the tray some 20 ms at every start.
EDITABLE := --config-settings editable_mode=compat -e

.PHONY: help demo test lint unit lab bench screenshots storm torture packages packages-test clean
help:
	@echo "make demo         try Deskside: installs what is missing, starts the embedded help desk and the tray"
	@echo "make test         installs what is missing and runs every check and test that can run here"
	@echo "make lint         ruff and mypy"
	@echo "make bench        start, memory, idleness and clicks against a bare tray"
	@echo "make screenshots  every page in light and dark into build/screenshots"
	@echo "make storm        10,000 clients whose help desk comes back, in virtual time, into docs/storm.md"
	@echo "make torture      over 1,000 kills of clients, help desks and the network while tickets are written and sent"
	@echo "make packages     deb and rpm into build/packages"
	@echo "make packages-test  installs, upgrades and purges the deb in a clean Debian root; needs root"
	@echo "make clean        removes .venv and caches"

demo: $(READY_DEMO)
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ]; then $(BIN)/deskside demo; \
	 else echo "There is no display: walking the loop on the command line instead."; $(BIN)/deskside demo --walk; fi

test: $(READY_TEST) lint unit lab

lint: $(READY_TEST)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

unit: $(READY_TEST)
	$(BIN)/python -m pytest -m "not netlab"

# Network namespaces and small file systems need root; an ordinary user is asked for it through sudo.
lab: $(READY_TEST)
	@if [ "$$(id -u)" = 0 ]; then $(BIN)/python -m pytest -m netlab; \
	 elif sudo -n true 2>/dev/null || [ -t 0 ]; then sudo $(BIN)/python -B -m pytest -p no:cacheprovider -m netlab; \
	 else echo "The fault lab needs root and there is no sudo: its tests were NOT run."; fi

bench: $(READY_TEST)
	$(BIN)/python tests/bench_search.py
	$(BIN)/python tests/desktop.py $(BIN)/python tests/bench_tray.py

screenshots: $(READY_TEST)
	$(BIN)/python tests/screens.py build/screenshots

storm: $(READY_TEST)
	$(BIN)/python tests/storm.py --write docs

torture: $(READY_TEST)
	$(BIN)/python tests/torture.py --desk employee --kills 400
	$(BIN)/python tests/torture.py --desk request_tracker --kills 320
	$(BIN)/python tests/torture.py --desk roundup --kills 320

$(READY_PACKAGES): pyproject.toml installers/constraints.txt installers/linux/prepare | $(READY_DEMO)
	installers/linux/prepare packages
	$(PIP) $(EDITABLE) '.[packages]'
	@touch $@

packages: $(READY_PACKAGES)
	$(BIN)/python installers/linux/package.py build/packages

# A second, newer version of the same program, to upgrade to.
packages-test: packages
	$(BIN)/python installers/linux/package.py build/packages-newer --version 999.0 --kind deb
	$(BIN)/python installers/linux/try_deb.py build/packages build/packages-newer

$(BIN)/python:
	installers/linux/prepare demo
	$(PYTHON) -m venv $(VENV)

$(READY_DEMO): pyproject.toml installers/constraints.txt installers/linux/prepare | $(BIN)/python
	installers/linux/prepare demo
	$(PIP) $(EDITABLE) '.[demo,meaning]'
	-$(BIN)/python installers/model.py resources/model
	@touch $@

$(READY_TEST): pyproject.toml installers/constraints.txt installers/linux/prepare tests/servers/oidc/package-lock.json | $(BIN)/python
	installers/linux/prepare test
	@if command -v npm >/dev/null; then npm ci --prefix tests/servers/oidc --ignore-scripts --no-audit --no-fund --silent; \
	 else echo "There is no npm: the tests with a real service to sign in with are left out."; fi
	$(PIP) $(EDITABLE) '.[demo,meaning,test]'
	$(BIN)/python installers/model.py resources/model
	@touch $@ $(READY_DEMO)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
