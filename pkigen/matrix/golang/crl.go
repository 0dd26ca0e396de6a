package main

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"
)

var (
	authorityKeyIdentifier   = asn1.ObjectIdentifier{2, 5, 29, 35}
	issuingDistributionPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
	reasonCode               = asn1.ObjectIdentifier{2, 5, 29, 21}
)

// RFC 5280, 5.2.5; the names inside are only looked at when they are fullName.
type scope struct {
	DistributionPoint struct {
		FullName []asn1.RawValue `asn1:"optional,tag:0"`
		Relative asn1.RawValue   `asn1:"optional,tag:1"`
	} `asn1:"optional,tag:0"`
	OnlyUser       bool           `asn1:"optional,tag:1"`
	OnlyCA         bool           `asn1:"optional,tag:2"`
	OnlySomeReason asn1.BitString `asn1:"optional,tag:3"`
	Indirect       bool           `asn1:"optional,tag:4"`
	OnlyAttribute  bool           `asn1:"optional,tag:5"`
}

const uniformResourceIdentifier = 6 // of GeneralName

// list is a published CRL, or why it cannot be read.
type list struct {
	crl *x509.RevocationList
	err error
}

func parsed(der []byte) *list {
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		return &list{err: err}
	}
	return &list{crl: crl}
}

// covers says why a CRL says nothing of a certificate (RFC 5280, 6.3.3), if so.
func (one *list) covers(certificate, issuer *x509.Certificate, at time.Time) error {
	if one.err != nil {
		return one.err
	}
	crl := one.crl
	if err := crl.CheckSignatureFrom(issuer); err != nil {
		return err
	}
	if at.Before(crl.ThisUpdate) {
		return errors.New("it is of the future")
	}
	if !crl.NextUpdate.IsZero() && at.After(crl.NextUpdate) {
		return errors.New("it is out of date")
	}
	if len(crl.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 &&
		!bytes.Equal(crl.AuthorityKeyId, issuer.SubjectKeyId) {
		return errors.New("it names another key of its issuer")
	}
	for _, extension := range crl.Extensions {
		if extension.Id.Equal(issuingDistributionPoint) {
			if err := inScope(extension, certificate); err != nil {
				return err
			}
		} else if extension.Critical && !extension.Id.Equal(authorityKeyIdentifier) {
			return fmt.Errorf("its critical extension %v is not processed here", extension.Id)
		}
	}
	for _, entry := range crl.RevokedCertificateEntries {
		for _, extension := range entry.Extensions {
			if extension.Critical && !extension.Id.Equal(reasonCode) {
				return fmt.Errorf("the critical extension %v of an entry is not processed here", extension.Id)
			}
		}
	}
	return nil
}

func inScope(extension pkix.Extension, certificate *x509.Certificate) error {
	var found scope
	rest, err := asn1.Unmarshal(extension.Value, &found)
	switch {
	case err != nil:
		return err
	case len(rest) > 0:
		return errors.New("trailing data in its scope")
	case found.OnlyUser && certificate.IsCA, found.OnlyCA && !certificate.IsCA, found.OnlyAttribute:
		return errors.New("it is of other certificates")
	case found.OnlySomeReason.BitLength > 0:
		return errors.New("it is of some reasons only")
	case found.Indirect:
		return errors.New("it is indirect, which is not processed here")
	case len(found.DistributionPoint.Relative.FullBytes) > 0:
		return errors.New("it is of a distribution point with a relative name, which is not processed here")
	}
	names := found.DistributionPoint.FullName
	if len(names) > 0 && !slices.ContainsFunc(names, func(name asn1.RawValue) bool {
		return name.Tag == uniformResourceIdentifier &&
			slices.Contains(certificate.CRLDistributionPoints, string(name.Bytes))
	}) {
		return errors.New("it is of another distribution point")
	}
	return nil
}

func (one *list) lists(certificate *x509.Certificate) bool {
	return slices.ContainsFunc(one.crl.RevokedCertificateEntries, func(entry x509.RevocationListEntry) bool {
		return entry.SerialNumber.Cmp(certificate.SerialNumber) == 0
	})
}
