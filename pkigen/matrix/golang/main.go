// Judges cases with Go's crypto/x509 and crypto/tls: one JSON object a line in, one a line out.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"
)

// Case is what pkigen.matrix.validator.MatrixCase says; a file that there is not is an empty string.
type Case struct {
	Certificate string    `json:"certificate"`
	Chain       string    `json:"chain"`
	Key         string    `json:"key"`
	Anchors     []string  `json:"anchors"`
	CRLs        []string  `json:"crls"`
	Host        string    `json:"host"`
	At          time.Time `json:"at"`
}

// Said is the verdict on one part of a case.
type Said struct {
	Accepted bool   `json:"accepted"`
	Words    string `json:"words"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked Case
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if err := answers.Encode(judge(asked)); err != nil {
			os.Exit(1)
		}
	}
}

func judge(asked Case) map[string]Said {
	said := map[string]Said{}
	var chains [][]*x509.Certificate
	said["path"] = say(func() (err error) {
		chains, err = paths(asked)
		return err
	})
	if said["path"].Accepted {
		said["crl"] = say(func() error { return notRevoked(chains, asked) })
	}
	if asked.Key != "" {
		said["key"] = say(func() error {
			_, err := tls.LoadX509KeyPair(asked.Certificate, asked.Key)
			return err
		})
	}
	return said
}

// say turns what is wrong into a verdict; so it does with a panic.
func say(judged func() error) (said Said) {
	defer func() {
		if found := recover(); found != nil {
			said = Said{Words: fmt.Sprint("panics: ", found)}
		}
	}()
	if err := judged(); err != nil {
		return Said{Words: err.Error()}
	}
	return Said{Accepted: true}
}

// paths are those from the server's certificate to an anchor, for a TLS client that was sent both files.
func paths(asked Case) ([][]*x509.Certificate, error) {
	sent, err := certificates(asked.Certificate)
	if err != nil {
		return nil, err
	}
	if asked.Chain != "" {
		above, err := certificates(asked.Chain)
		if err != nil {
			return nil, fmt.Errorf("chain: %w", err)
		}
		sent = append(sent, above...)
	}
	options := x509.VerifyOptions{
		DNSName:       asked.Host,
		Roots:         x509.NewCertPool(),
		Intermediates: x509.NewCertPool(),
		CurrentTime:   asked.At,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	var unread error // AppendCertsFromPEM skips what does not parse, as programs do; the message must state why
	for _, path := range asked.Anchors {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if !options.Roots.AppendCertsFromPEM(data) {
			_, unread = certificates(path)
		}
	}
	for _, one := range sent[1:] {
		options.Intermediates.AddCert(one)
	}
	chains, err := sent[0].Verify(options)
	if err != nil && unread != nil {
		err = fmt.Errorf("%w (trust anchor: %v)", err, unread)
	}
	return chains, err
}

// certificates are those of a PEM file; as in crypto/tls, one that does not parse spoils all.
func certificates(path string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	if len(found) == 0 {
		return nil, errors.New("no certificate found in the file")
	}
	return found, nil
}

// notRevoked says why none of the paths has a CRL that clears each certificate below its anchor.
func notRevoked(chains [][]*x509.Certificate, asked Case) error {
	lists := make([]*list, 0, len(asked.CRLs))
	for _, path := range asked.CRLs {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lists = append(lists, parsed(data)) // DER, as RFC 5280 (4.2.1.13) has it; crypto/x509 reads no other
	}
	var err error
	for _, chain := range chains {
		if err = cleared(chain, lists, asked.At); err == nil {
			return nil
		}
	}
	return err
}

func cleared(chain []*x509.Certificate, lists []*list, at time.Time) error {
	for depth, certificate := range chain[:len(chain)-1] {
		reason := errors.New("there is none of its issuer")
		covered := false
		for _, one := range lists {
			if one.crl != nil && !bytes.Equal(one.crl.RawIssuer, certificate.RawIssuer) {
				continue
			}
			if err := one.covers(certificate, chain[depth+1], at); err != nil {
				reason = err
				continue
			}
			if one.lists(certificate) {
				return fmt.Errorf("depth %d: the certificate is revoked", depth)
			}
			covered = true
		}
		if !covered {
			return fmt.Errorf("depth %d: no CRL covers it: %w", depth, reason)
		}
	}
	return nil
}
