package kafkatest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// PKI is an authority of the test's own, and what it signed: a certificate for
// brokers on the loopback, and one for their clients.
type PKI struct {
	dir            string
	server, client *tls.Config
}

// ClientFiles are PEM files: who signed the brokers, and a certificate and key
// for the client.
func (p *PKI) ClientFiles() (ca, cert, key string) {
	return p.file("ca.pem"), p.file("client.pem"), p.file("client.key")
}

// Client is what ClientFiles hold.
func (p *PKI) Client() *tls.Config { return p.client.Clone() }

// Server is for a broker that wants a certificate of its clients (mTLS).
func (p *PKI) Server() *tls.Config { return p.server.Clone() }

func (p *PKI) file(name string) string { return filepath.Join(p.dir, name) }

// NewPKI makes all of it anew.
func NewPKI(t TB) *PKI {
	t.Helper()
	p := &PKI{dir: t.TempDir()}
	root := signed(t, "odin tests", nil)
	broker := signed(t, "broker", root)
	client := signed(t, "client", root)
	p.write(t, "ca.pem", root.certPEM())
	p.write(t, "broker.pem", slices.Concat(broker.keyPEM(t), broker.certPEM(), root.certPEM()))
	p.write(t, "client.pem", client.certPEM())
	p.write(t, "client.key", client.keyPEM(t))
	pool := x509.NewCertPool()
	pool.AddCert(root.cert)
	p.client = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool, Certificates: client.chain()}
	p.server = &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: broker.chain(),
		ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert,
	}
	return p
}

func (p *PKI) write(t TB, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(p.file(name), content, 0o600); err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
}

type keyed struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// signed makes a certificate for the loopback, by an authority or, nil, one
// that is an authority itself.
func signed(t TB, name string, by *keyed) *keyed {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		BasicConstraintsValid: true,
	}
	parent, signer := template, key
	if by == nil {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
	} else {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	return &keyed{cert, key}
}

func (k *keyed) chain() []tls.Certificate {
	return []tls.Certificate{{Certificate: [][]byte{k.cert.Raw}, PrivateKey: k.key}}
}

func (k *keyed) certPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.cert.Raw})
}

func (k *keyed) keyPEM(t TB) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		t.Fatalf("kafkatest: %v", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
