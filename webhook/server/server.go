package server

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	ctrlwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"embargo.dev/webhook/limits"
)

const (
	// readHeaderTimeout bounds the TLS handshake too.
	readHeaderTimeout = 5 * time.Second
	// readTimeout is as long as the API server waits for an answer.
	readTimeout = 5 * time.Second
	// requestTimeout ends what nobody waits for any more.
	requestTimeout = 10 * time.Second
	// writeTimeout leaves time to write an answer after that.
	writeTimeout = requestTimeout + 2*time.Second
	// idleTimeout is longer than the 90 seconds for which an API server keeps a connection
	// that it doesn't use. Otherwise it may send a review on a connection that is about to
	// be closed.
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 15 * time.Second

	maxHeaderBytes = 16 << 10
)

// http2Config bounds what one connection may hold. A client that needs more streams opens
// another connection. Whoever reads a request's body does so at once and counts it, so
// only little is buffered before.
var http2Config = http.HTTP2Config{
	MaxConcurrentStreams:          100,
	MaxReadFrameSize:              16 << 10,
	MaxDecoderHeaderTableSize:     4 << 10,
	MaxReceiveBufferPerConnection: 256 << 10,
	MaxReceiveBufferPerStream:     64 << 10,
	PingTimeout:                   5 * time.Second,
	SendPingTimeout:               30 * time.Second,
	WriteByteTimeout:              5 * time.Second,
}

// Options say where and how to serve.
type Options struct {
	Host   string
	Port   int
	TLS    *tls.Config
	Limits *limits.Limits
	Log    logr.Logger
}

// Server is a server of webhooks for controller-runtime's manager. Register counts requests
// in the same metrics as controller-runtime's own server.
type Server struct {
	ctrlwebhook.Server

	options Options
	mux     *http.ServeMux
	serving atomic.Bool
}

var _ ctrlwebhook.Server = &Server{}

// New returns a server that Start starts.
func New(o Options) *Server {
	mux := http.NewServeMux()
	return &Server{
		Server:  ctrlwebhook.NewServer(ctrlwebhook.Options{Host: o.Host, Port: o.Port, WebhookMux: mux}),
		options: o, mux: mux,
	}
}

// Start serves until the context ends, and then until the requests in flight are answered.
func (s *Server) Start(ctx context.Context) error {
	var listening net.ListenConfig
	listener, err := listening.Listen(ctx, "tcp", net.JoinHostPort(s.options.Host, strconv.Itoa(s.options.Port)))
	if err != nil {
		return err
	}
	s.options.Log.Info("serving webhooks", "address", listener.Addr().String())
	return s.serve(ctx, listener)
}

func (s *Server) serve(ctx context.Context, listener net.Listener) error {
	server := s.httpServer(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-ctx.Done()
		s.shutDown(server)
	}()
	s.serving.Store(true)
	defer s.serving.Store(false)
	err := server.ServeTLS(&limitedListener{Listener: listener, limits: s.options.Limits}, "", "")
	if !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	<-stopped
	return nil
}

func (s *Server) httpServer(ctx context.Context) *http.Server {
	settings := s.options.TLS.Clone()
	settings.NextProtos = []string{"h2", "http/1.1"}
	return &http.Server{
		Handler:           limitRequests(s.options.Limits, s.mux),
		TLSConfig:         settings,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2:             &http2Config,
		ErrorLog:          log.New(newErrorLog(s.options.Log), "", 0),
		// Requests in flight are answered after the end of the server's own context.
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
}

func (s *Server) shutDown(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		s.options.Log.Error(err, "requests in flight were cut off")
		_ = server.Close()
	}
}

var errNotServing = errors.New("the webhook server doesn't listen yet")

// StartedChecker returns a readiness check. Unlike controller-runtime's, it doesn't connect:
// without a client certificate it could not, and a flood would make the replica unready.
func (s *Server) StartedChecker() healthz.Checker {
	return func(*http.Request) error {
		if !s.serving.Load() {
			return errNotServing
		}
		return nil
	}
}
