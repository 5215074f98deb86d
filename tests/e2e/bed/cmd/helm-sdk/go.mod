module routing-secrets.test/helm-sdk

go 1.26.0

require helm.sh/helm/v3 v3.18.5

require github.com/pkg/errors v0.9.1 // indirect
