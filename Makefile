.PHONY: e2e dist

e2e: ## run the tests against real servers; KUBE=1.35.4 takes the older API server
	cargo build --locked
	tests/e2e/bed/with-bed.sh cargo test --locked --no-fail-fast --test 'e2e_*' -- --ignored

dist: ## build the release archive of this machine into target/dist, twice, and compare
	release/dist.sh

include tests/e2e/bed/bed.mk
