# Everything a developer types. CI runs `make test`.

.PHONY: build test check race fuzz bench demo browser

build:
	go build -o kairan ./cmd/kairan

# The whole suite. Page tests need Debian's chromium, and npm for axe-core; they are installed when missing.
test: export KAIRAN_BROWSER = required
test: browser
	go vet ./...
	go test -shuffle=on ./...

browser:
	@need=; \
	command -v chromium >/dev/null || need="chromium fonts-noto-cjk"; \
	command -v npm >/dev/null || need="$$need npm"; \
	[ -z "$$need" ] || { \
		[ "$$(id -u)" = 0 ] && SUDO= || SUDO=sudo; \
		$$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq $$need; \
	}

# What must hold before a commit.
check:
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	go vet ./...
	go mod tidy -diff
	go test -shuffle=on ./...

race: browser
	go test -race -shuffle=on ./...

# Each fuzz target for FUZZTIME.
FUZZTIME ?= 30s
fuzz:
	@for p in $$(go list ./...); do \
		for t in $$(go test -list '^Fuzz' $$p | grep '^Fuzz'); do \
			echo "$$p $$t"; go test -run='^$$' -fuzz="^$$t$$" -fuzztime=$(FUZZTIME) $$p || exit 1; \
		done; \
	done

# Figures, as ratios to floors measured in the same run. See docs/performance.md, also for what BENCH may add.
bench:
	go run ./cmd/kairan-bench -run all -n 3 $(BENCH)

demo:
	go run ./cmd/kairan demo
