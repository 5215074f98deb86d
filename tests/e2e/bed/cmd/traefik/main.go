// Traefik serves TLS as Traefik would: its own Kubernetes providers, its own certificate store, no routing. All of
// cmd/traefik does not build from the module registry; these packages do.
package main

import (
	"context"
	stdtls "crypto/tls"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/provider/kubernetes/crd"
	"github.com/traefik/traefik/v3/pkg/provider/kubernetes/ingress"
	"github.com/traefik/traefik/v3/pkg/safe"
	"github.com/traefik/traefik/v3/pkg/tls"
)

type provider interface {
	Init() error
	Provide(messages chan<- dynamic.Message, pool *safe.Pool) error
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "where to serve TLS")
	addressFile := flag.String("address-file", "", "written with the real address once both providers have reported")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *addressFile); err != nil {
		log.Fatal(err)
	}
}

// Run watches the cluster that KUBECONFIG names.
func run(ctx context.Context, listen, addressFile string) error {
	providers := []provider{
		&ingress.Provider{AllowEmptyServices: true},
		&crd.Provider{AllowEmptyServices: true},
	}
	messages := make(chan dynamic.Message, 10)
	pool := safe.NewPool(ctx)
	for _, p := range providers {
		if err := p.Init(); err != nil {
			return err
		}
		if err := p.Provide(messages, pool); err != nil {
			return err
		}
	}

	manager := tls.NewManager(nil)
	last := map[string]*dynamic.Configuration{}
	serving := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case message := <-messages:
			last[message.ProviderName] = message.Configuration
			update(ctx, manager, last)
		}
		if !serving && len(last) == len(providers) {
			if err := serve(manager, listen, addressFile); err != nil {
				return err
			}
			serving = true
		}
	}
}

// Update merges the providers' TLS as Traefik's server/aggregator.go does.
func update(ctx context.Context, manager *tls.Manager, last map[string]*dynamic.Configuration) {
	var certificates []*tls.CertAndStores
	stores := map[string]tls.Store{}
	options := map[string]tls.Options{}
	for _, configuration := range last {
		if configuration.TLS == nil {
			continue
		}
		certificates = append(certificates, configuration.TLS.Certificates...)
		for name, store := range configuration.TLS.Stores {
			stores[name] = store
		}
		for name, option := range configuration.TLS.Options {
			options[name] = option
		}
	}
	if _, ok := options["default"]; !ok {
		options["default"] = tls.DefaultTLSOptions
	}
	manager.UpdateConfigs(ctx, stores, options, certificates)
	log.Printf("%d certificates", len(certificates))
}

func serve(manager *tls.Manager, listen, addressFile string) error {
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	config := &stdtls.Config{
		GetConfigForClient: func(*stdtls.ClientHelloInfo) (*stdtls.Config, error) {
			return manager.Get("default", "default")
		},
	}
	server := &http.Server{
		// 404 as from a Traefik whose routers do not match: the handshake is what is looked at.
		Handler:           http.NotFoundHandler(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go func() { log.Fatal(server.Serve(stdtls.NewListener(listener, config))) }()
	log.Printf("serving on %s", listener.Addr())
	if addressFile == "" {
		return nil
	}
	return writeWhole(addressFile, listener.Addr().String()+"\n")
}

// WriteWhole leaves no moment in which the file is there but empty.
func writeWhole(path, text string) error {
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".tmp")
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
