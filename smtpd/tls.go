package smtpd

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"sync"
	"time"
)

// SelfSigned makes a certificate for hostname that is valid for a year from now.
// It serves the demo and STARTTLS between hosts that do not verify.
func SelfSigned(hostname string, now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: hostname},
		DNSNames:     []string{hostname},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a certificate for %s: %w", hostname, err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// LoadCertificate returns a server configuration with the certificate chain and key in two PEM
// files. When one of them changes, the next handshake takes the new certificate; while
// the files do not fit each other, the old one stays in use and log gets a warning.
func LoadCertificate(certFile, keyFile string, log *slog.Logger) (*tls.Config, error) {
	f := &certificateFiles{cert: certFile, key: keyFile, log: log}
	if err := f.load(f.stamp()); err != nil {
		return nil, err
	}
	return &tls.Config{GetCertificate: f.get}, nil
}

// certificateFiles are a pair of files and what was in them.
type certificateFiles struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	stamps  [2]fileStamp
	current *tls.Certificate
}

// fileStamp changes when a file does.
type fileStamp struct {
	changed time.Time
	size    int64
}

func (f *certificateFiles) stamp() (stamps [2]fileStamp) {
	for i, name := range []string{f.cert, f.key} {
		if info, err := os.Stat(name); err == nil {
			stamps[i] = fileStamp{info.ModTime(), info.Size()}
		}
	}
	return stamps
}

// load reads the files, and remembers the stamps also when they are no good, so
// that they are read once per change.
func (f *certificateFiles) load(stamps [2]fileStamp) error {
	f.stamps = stamps
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("load certificate %s: %w", f.cert, err)
	}
	f.current = &pair
	return nil
}

func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if stamps := f.stamp(); stamps != f.stamps {
		if err := f.load(stamps); err != nil {
			f.log.Warn("certificate not reloaded", "error", err, "next", "the old one stays in use")
		} else {
			f.log.Info("certificate reloaded", "file", f.cert)
		}
	}
	return f.current, nil
}
