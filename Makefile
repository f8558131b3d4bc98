# make demo   sets up and runs the main job on a sample practice
# make test   sets up and runs every check
# make drill  sets up and kills senders, workers and machines for some minutes, to prove one send each
.PHONY: setup demo test drill up docs format lock clean

# Compiled modules make each start of Prefect several seconds shorter.
unexport PYTHONDONTWRITEBYTECODE
# Settings of some other Python must not reach into the project's own.
unexport PYTHONPATH PYTHONHOME
RUN = .venv/bin/python -m

demo: setup
	@.venv/bin/outreach demo

test: setup
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) pytest -n 2 --dist loadgroup --durations=10

drill: setup
	.venv/bin/outreach drill --kills 200 --keyed
	.venv/bin/outreach drill --kills 200 --keyless
	.venv/bin/outreach drill --kills 50 --restore
	.venv/bin/outreach drill --kills 50 --clocks
	! .venv/bin/outreach drill --kills 30 --naive
	$(RUN) pytest -m drill
	LONG_TESTS=yes $(RUN) pytest -m longer

up: setup
	@.venv/bin/outreach up

setup:
	@sh setup/start.sh

docs: setup
	.venv/bin/python docs/moments.py
	.venv/bin/python docs/rules.py
	.venv/bin/python docs/architecture.py

format: setup
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

# uv is only needed here. Any recent one will do: pipx install uv
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" -o requirements.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build outreach.egg-info
