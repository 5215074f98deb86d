# To be included by the Makefile at the repository's root. KUBE=1.35.4 chooses the older API server.
BED := tests/e2e/bed
CLUSTER ?= $(CURDIR)/target/cluster
export KUBE

.PHONY: bed cluster cluster-stop bed-smoke

bed: ## obtain and build the test bed's parts; a second run does nothing
	$(BED)/obtain.sh

cluster: bed ## leave a cluster up and print how to use it
	@test -e $(CLUSTER)/pids || $(BED)/start.sh $(CLUSTER)
	@grep '^export KUBECONFIG=' $(CLUSTER)/env
	@echo "# everything else: source $(CLUSTER)/env; end it: make cluster-stop"

cluster-stop: ## end what make cluster left up
	$(BED)/stop.sh $(CLUSTER)

bed-smoke: ## prove that the bed behaves as real servers do, on every API server
	$(BED)/smoke.sh
