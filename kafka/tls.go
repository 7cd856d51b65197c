package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
)

// ErrTLS is a TLS setting that can't work, wrapped with why.
var ErrTLS = errors.New("kafka: tls")

// TLSFiles names the files that TLS to the brokers needs, all PEM.
type TLSFiles struct {
	CA         string // who signed the brokers' certificates; empty: the system's authorities
	Cert, Key  string // what this client shows (mTLS); both or none
	ServerName string // expected of every broker instead of the name it is dialled by
}

// Config loads the files. The client's certificate is read anew for each
// connection, so that a renewed one is taken up without a restart.
func (f TLSFiles) Config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: f.ServerName}
	if f.CA != "" {
		pool, err := f.authorities()
		if err != nil {
			return nil, err
		}
		c.RootCAs = pool
	}
	if (f.Cert == "") != (f.Key == "") {
		return nil, fmt.Errorf("%w: a client certificate and its key come together", ErrTLS)
	}
	if f.Cert != "" {
		if _, err := f.certificate(nil); err != nil {
			return nil, err
		}
		c.GetClientCertificate = f.certificate
	}
	return c, nil
}

func (f TLSFiles) authorities() (*x509.CertPool, error) {
	pem, err := os.ReadFile(f.CA)
	if err != nil {
		return nil, fmt.Errorf("%w: read the authorities: %w", ErrTLS, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%w: %s holds no PEM certificate", ErrTLS, f.CA)
	}
	return pool, nil
}

func (f TLSFiles) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("%w: load the client's certificate: %w", ErrTLS, err)
	}
	return &c, nil
}
