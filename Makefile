# The commands of the README. Each builds its own environment; nothing outside the folder is touched.
PYTHON ?= python3
# the CPU build of torch is enough for tests; pinned and first, since an open range pulls CUDA
TORCH = torch==2.13.0

.PHONY: demo camera test redis-server mosquitto chromium ffmpeg npm check audit fuzz format body body2d cmu-expmap clean

demo: .venv-demo/installed
	.venv-demo/bin/motionscribe demo $(if $(PAGE),--page)

# the pose model of the page's camera, which runs in the browser: Apache-2.0, 50 MB, nothing of it is fetched later
camera: | npm
	npm install --silent --no-save --no-package-lock --no-fund --no-audit --prefix client/motionscribe/page \
	  @mediapipe/pose@0.5.1675469404

# a process a core; whoever runs out of tests takes over some of the other's, so that no long file ends alone; the
# hundreds of programs that tests start need not compile what others have, whatever an image says
test: .venv/installed redis-server mosquitto node_modules/.package-lock.json
	PYTHONDONTWRITEBYTECODE= .venv/bin/pytest --numprocesses=auto --dist=worksteal

# the tests run a real one; where there is no apt-get, install it by other means (brew install redis)
redis-server:
	command -v redis-server > /dev/null || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends redis-server)

# the broker that tests what goes to MQTT; its tests are skipped without one
mosquitto:
	command -v mosquitto > /dev/null || [ -x /usr/sbin/mosquitto ] || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends mosquitto)

# the browser that tests the page, which are skipped without one
chromium:
	command -v chromium > /dev/null || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium)

# makes the film that the camera of a test sees
ffmpeg:
	command -v ffmpeg > /dev/null || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends ffmpeg)

# for what checks the page's code, judges in a test whether everybody can use it, and for the page's camera
npm:
	command -v npm > /dev/null || (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends npm)

check: .venv/installed node_modules/.package-lock.json
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	npx eslint client/motionscribe/page/static eslint.config.js
	npx prettier --check client/motionscribe/page/static eslint.config.js

# needs https://pypi.org/pypi/NAME/VERSION/json, where known vulnerabilities stand; a package that is not found is an error
audit: .venv/installed
	.venv/bin/pip freeze --exclude-editable | sed 's/+.*//' > .venv/frozen.txt  # torch 2.13.0+cpu is 2.13.0 there
	.venv/bin/pip-audit --strict --no-deps --disable-pip --requirement .venv/frozen.txt

# bytes that no friend sends, FUZZ_S seconds for each of six readers
FUZZ_S ?= 20
fuzz: .venv/installed
	.venv/bin/pip install --quiet --editable '.[fuzz]'
	.venv/bin/python -m benchmarks.faults.fuzz --seconds $(FUZZ_S)

format: .venv/installed node_modules/.package-lock.json
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .
	npx prettier --write client/motionscribe/page/static eslint.config.js

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --upgrade pip
	.venv/bin/pip install --quiet $(TORCH)
	.venv/bin/pip install --quiet --editable '.[server-cpu,training,report,mat,h5,xdf,lsl,camera,page,signing,redis,osc,websocket,mqtt,parquet,nwb,dev]'
	touch $@

node_modules/.package-lock.json: package.json package-lock.json | npm
	npm ci --silent --no-fund --no-audit
	touch $@

.venv-demo/installed: pyproject.toml
	$(PYTHON) -m venv .venv-demo
	.venv-demo/bin/pip install --quiet --upgrade pip
	.venv-demo/bin/pip install --quiet --editable '.[server-cpu,report,page]'
	touch $@

# the shipped models, from the recordings in DATA; five minutes each
DATA ?= ../shared/data
ACTIONS = $(DATA)/sub86 $(DATA)/mocap6/amc --single-action $(DATA)/cmu_amc
RECIPE = --hidden 256 --source-seq-len 48 --stride 3 --projected 64 --iterations 1000 --learning-rate 0.002 --seed 0
body: ABOUT = Any body: 13 joints in space, whatever the source
body2d: ABOUT = Any body in the image of one camera: 13 joints without depth, weaker than body
body body2d: .venv/installed
	rm -rf models/$@/1
	.venv/bin/motionscribe-train run --$@ $(ACTIONS) $(DATA)/cmu8 $(RECIPE) --name $@ --version 1 --description "$(ABOUT)"

cmu-expmap: .venv/installed
	rm -rf models/$@/1
	.venv/bin/motionscribe-train run $(ACTIONS) $(RECIPE) --name $@ --version 1 \
	  --description "Whole-body motion as CMU exponential maps, 96 columns"

clean:
	rm -rf .venv .venv-demo node_modules client/motionscribe/page/node_modules
