# What a person types. PORT, FARM_DATA and GUESTS may be given, as in `make run PORT=8010`.

.PHONY: run setup setup-dev test test-matrix test-quarter test-postgres test-postgres-core check lab lab-long lab-deploy bench-relay bench-billing bench-provisioning clean

CORE = $(addprefix tests/farm/,accounts agents api billing web relay/test_budget.py $(addprefix matrix/,$(KILLED)))
KILLED = test_bells.py test_conversations.py test_database_gone.py test_sigkill.py

run: setup             ## install what is missing, start everything, print the address
	@.venv/bin/farm up

setup:                 ## install what is missing, and no more
	@deploy/setup.sh run

setup-dev:             ## ... and what the tests need
	@deploy/setup.sh dev

test: setup-dev        ## unit, engine, wire and pages, on simulated guests
	@.venv/bin/python -m pytest -n 4 --dist worksteal

test-postgres: setup-dev  ## the same of what keeps rows, on Postgres and Redis with Celery's workers
	@.venv/bin/python -m tests.pairs -n 4 tests/farm tests/ops

test-postgres-core: setup-dev  ## of that what CI has time for: rows, claims, money, budgets, and workers killed
	@.venv/bin/python -m tests.pairs -n 4 $(CORE)

test-quarter: setup-dev ## two hundred agents' quarter of a year with faults on, held against both clouds' and Stripe's books; hours
	@QUARTER_AGENTS=200 QUARTER_LEAPS=30 .venv/bin/python -m pytest -m matrix tests/farm/matrix/test_quarter.py

test-matrix: setup-dev ## every outside call of every flow struck by every fault at both clouds; takes hours
	@.venv/bin/python -m pytest -n 4 --dist worksteal -m matrix tests/farm/matrix

check: setup-dev       ## format, lint, types, import rules, migrations, locks, translations
	@deploy/check.sh

lab: setup-dev         ## the whole story with a real guest and the real OpenClaw
	@.venv/bin/python -m pytest -m "lab and not long" -s

lab-long: setup-dev    ## what takes longer on real guests: backups, chat apps, Scaleway switched off and on, other dialects
	@.venv/bin/python -m pytest -m "lab and long" -s --deselect tests/lab/test_deploy.py

bench-relay: setup-dev ## what the relay adds until the first byte, beside the call without it
	@.venv/bin/python -m bench.relay

bench-billing: setup-dev ## an hour of 10,000 machines metered and 7,200,000 lines closed, beside bare SQL
	@.venv/bin/python -m bench.billing

bench-provisioning: setup-dev ## what the farm asks of a cloud, beside the official command line; half an hour
	@.venv/bin/python -m bench.provisioning

lab-deploy: setup-dev  ## deploy/cloud-init.yaml in a bare machine, its set-up page, an agent; takes as long as all of that
	@.venv/bin/python -m pytest -m lab -s tests/lab/test_deploy.py

clean:                 ## remove what was built; the farm's data stays
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis screenshots
	find . -name __pycache__ -prune -exec rm -rf {} +
