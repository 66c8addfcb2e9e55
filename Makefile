# One command each on a bare machine with Python >= 3.11, a C compiler and the package index.
PYTHON ?= python3
BIN := .venv/bin
REAL ?=
PEER ?=
TORCH_INDEX ?=

.PHONY: install demo model test lint types slow bench clean

install: .setup-done

.setup-done: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(if $(TORCH_INDEX),$(BIN)/pip install --quiet --constraint constraints.txt --index-url $(TORCH_INDEX) torch)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch .setup-done

# Renders people, trains on them, adapts and scores; `make demo REAL=persons:DIR` scores on real people too.
demo: .setup-done
	$(BIN)/s2reid demo $(if $(REAL),--real "$(REAL)")

# Makes the model that ships with the package, from nothing but rendered people; REAL=csv:FILE scores it on real people.
model: .setup-done
	$(BIN)/python benchmarks/small_model.py $(if $(REAL),--real "$(REAL)")

# Everything that CI runs.
test: lint
	$(BIN)/pytest --jaxtyping-packages=s2reid,beartype.beartype -m 'not slow' -q -n 2

lint: .setup-done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

slow: .setup-done
	$(BIN)/pytest --jaxtyping-packages=s2reid,beartype.beartype -m slow -q

# Measures this machine: bench/benchmark.json and bench/benchmark.html. PEER=osnet_x0_25_msmt17.onnx compares embedding.
bench: .setup-done
	$(BIN)/s2reid benchmark --out bench $(if $(PEER),--peer "$(PEER)")

clean:
	rm -rf .venv .setup-done demo build src/*.egg-info
