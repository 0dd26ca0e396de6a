"""Converts sources to files: selects the requested content, orders it, and writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pkigen.errors import InputError, PkigenError, Problem
from pkigen.formats import pem
from pkigen.inspection.artifacts import KeyFile, Kind
from pkigen.inspection.conversion import render, write
from pkigen.inspection.conversion.options import (
    Conversion,
    ConversionOptions,
    Target,
    WrittenFile,
)
from pkigen.inspection.conversion.selection import (
    describe,
    find_leaf,
    listed,
    lowest_of,
    order_chain,
)
from pkigen.inspection.conversion.sources import Material, read_sources, single_key
from pkigen.inspection.conversion.write import Rendered
from pkigen.keys.verify import may_be_self_signed
from pkigen.x509 import Certificate

_LABELS = {Kind.CRL: "X509 CRL", Kind.REQUEST: "CERTIFICATE REQUEST", Kind.PUBLIC_KEY: "PUBLIC KEY"}
_KEY_STORES = (Target.P12, Target.JKS)
_WITH_KEY = (Target.APPLIANCE, Target.KEY, *_KEY_STORES)


def convert(sources: Sequence[Path], options: ConversionOptions) -> Conversion:
    """Convert the combined content of the sources, and write it.

    Raises InputError for invalid or missing content, or an existing target, Refused if the key does not
    match the certificate, and EnvironmentFailure for errors of the system. Nothing is written then.
    """
    if not sources:
        raise InputError("nothing to convert; specify a file")
    _Work.check(options)
    work = _Work(read_sources(sources, options.passphrases), options)
    files = tuple(_WRITERS[options.to](work))
    paths = write.targets(files, options.out, sources)
    write.check(paths, sources, force=options.force)
    notes = (*work.material.notes, *work.notes(files, paths))
    write.write(files, paths)
    return Conversion(tuple(map(WrittenFile, paths, (file.holds for file in files))), notes)


@dataclass(frozen=True)
class _Work:
    """One conversion: the content of the sources, and the options."""

    material: Material
    options: ConversionOptions

    @staticmethod
    def check(options: ConversionOptions) -> None:
        """Raise InputError for options that do not apply to the target."""
        problems = []
        if options.to not in _KEY_STORES:
            problems += [("--alias", bool(options.alias))]
        if options.to is not Target.P12:
            problems += [("--legacy", options.legacy)]
        if options.to not in (*_WITH_KEY, Target.DER):
            problems += [("--new-passphrase-file", options.new_passphrase is not None)]
        if options.to not in (Target.APPLIANCE, Target.KEY, Target.DER):
            problems += [("--key-format", options.key_format != "pkcs8")]
        words = [f"{name} cannot be combined with --to {options.to}" for name, given in problems if given]
        if words:
            raise InputError([Problem(one) for one in words])

    @cached_property
    def key(self) -> KeyFile:
        """The private key; InputError if there is none."""
        if self.options.to is Target.APPLIANCE and not (self.material.keys or self.material.closed):
            words = "add its file as another SOURCE, or use --to crt or --to pem, which need no key"
            raise InputError(f"there is no private key in {self.material.named}; {words}")
        return single_key(self.material, self.options.passphrases)

    @property
    def pkcs8(self) -> bytes:
        """The private key, unencrypted."""
        assert self.key.pkcs8 is not None
        return self.key.pkcs8

    @cached_property
    def leaf(self) -> Certificate:
        """The certificate; if there is a key, the one that belongs to it."""
        if not self.material.certificates:
            raise InputError(f"there is no certificate in {self.material.named}{self._instead()}")
        needed = self.options.to in _WITH_KEY
        public = self.key.public if needed or (self.material.keys and not self.material.closed) else None
        try:
            return find_leaf(self.material.certificates, [public] if public else [])
        except PkigenError as error:
            raise type(error)(f"{self.material.named}: {error}") from error

    @cached_property
    def chain(self) -> tuple[Certificate, ...]:
        """The certificates above, the issuing CA first; for a self-signed certificate, itself."""
        return order_chain(self.leaf, self.material.certificates) or (
            (self.leaf,) if may_be_self_signed(self.leaf) else ()
        )

    @property
    def path(self) -> tuple[Certificate, ...]:
        """The certificate and its chain, each once."""
        return tuple(dict.fromkeys((self.leaf, *self.chain)))

    @property
    def has_only_cas(self) -> bool:
        """Whether the sources contain only CA certificates."""
        certificates, keys = self.material.certificates, self.material.keys or self.material.closed
        return bool(certificates) and not keys and all(one.is_authority for one in certificates)

    @property
    def ordered_chain(self) -> tuple[Certificate, ...]:
        """All certificates, each path from the issuing CA up."""
        certificates = self.material.certificates
        ordered = [one for low in lowest_of(certificates) for one in (low, *order_chain(low, certificates))]
        return tuple(dict.fromkeys((*ordered, *certificates)))

    @property
    def alias(self) -> str:
        """The friendly name of the key: the requested one, that of the source, or the file's name."""
        name = self.options.alias or self.material.aliases.get(self.leaf, "")
        return name or write.base_name(self.material.sources[0].name)

    def _instead(self) -> str:
        """Return what to do if there is no certificate, depending on the other content."""
        if self.material.others and self.options.to not in _WITH_KEY:
            return f"; a {self.material.others[0].kind} becomes --to pem or --to der"
        return "; add its file as another SOURCE" if self.material.keys else ""

    def notes(self, files: Sequence[Rendered], paths: Sequence[Path]) -> Iterator[str]:
        """Yield notes for the user about the files to write."""
        advice = "use --new-passphrase-file FILE to encrypt it"
        for file, path in zip(files, paths, strict=True):
            if not file.secret:
                continue
            if self.options.new_passphrase is not None:
                if self.options.to is Target.P12 and not self.options.new_passphrase.isascii():
                    yield f"Java does not open {path}: its passphrase contains non-ASCII characters"
                continue
            if self.options.to is Target.P12:
                yield f"{path} has no passphrase, so that Java cannot read it; {advice}"
            elif self.key.encrypted:
                yield f"the key in {path} is no longer encrypted; {advice}"
        if self.options.to not in _WITH_KEY and not any(file.secret for file in files):
            for closed in self.material.closed:
                yield f"{closed.source}: {closed.problem}; the key was not compared"
        if self.options.to in (Target.APPLIANCE, Target.PEM, Target.P7B, *_KEY_STORES):
            if self.material.certificates:
                yield from self._notes_on_chain()
            if self.material.certificates or self.options.to is Target.P7B:
                yield from self._notes_on_others()

    def _notes_on_others(self) -> Iterator[str]:
        """Name the CRLs, requests and public keys that are not part of the output."""
        for other in self.material.others:
            if other.kind is Kind.CRL and self.options.to is not Target.P7B:
                yield f"left out: {other.kind} in {other.source}; --to p7b keeps it"
            elif other.kind is not Kind.CRL:
                yield f"left out: {other.kind} in {other.source}"

    def _notes_on_chain(self) -> Iterator[str]:
        if self.options.to in (Target.PEM, Target.P7B) and self.has_only_cas:
            return
        if not may_be_self_signed(self.path[-1]):
            words = "the chain has no root" if self.chain else "there is no chain"
            yield f"{words}: the sources lack the issuer of {describe(self.path[-1])}"
        if out := [one for one in self.material.certificates if one not in self.path]:
            yield f"left out because not in the chain of {describe(self.leaf)}: {listed(out)}"


def _to_appliance(work: _Work) -> Iterator[Rendered]:
    """Yield certificate, key and chain; an appliance also accepts the first two without the third."""
    yield render.certificate_pem(work.leaf)
    yield from _to_key(work)
    if work.chain:
        yield render.chain_pem(work.chain)


def _to_crt(work: _Work) -> Iterator[Rendered]:
    yield render.certificate_pem(work.leaf)


def _to_key(work: _Work) -> Iterator[Rendered]:
    if work.material.certificates:
        _ = work.leaf  # Refused, if they do not belong together
    options = work.options
    yield render.key_pem(work.pkcs8, options.key_format, options.new_passphrase)


def _to_pem(work: _Work) -> Iterator[Rendered]:
    certificates = work.material.certificates
    if not certificates and work.material.others:
        yield _other(work, ".pem")
    elif work.has_only_cas:
        yield render.chain_pem(work.ordered_chain)
    elif work.chain:
        yield render.chain_pem(work.chain)
    else:
        words = f"there is no CA certificate above {describe(work.leaf)} in {work.material.named}"
        raise InputError(f"{words}; add the chain file as another SOURCE, or use --to crt")


def _to_der(work: _Work) -> Iterator[Rendered]:
    material, options = work.material, work.options
    if material.certificates:
        if options.new_passphrase is not None or options.key_format != "pkcs8":
            words = "key options cannot be combined with --to der, which writes the certificate"
            raise InputError(words)
        yield render.certificate_der(work.leaf)
    elif material.others and not (material.keys or material.closed):
        yield _other(work, ".der")
    else:
        yield render.key_der(work.pkcs8, options.key_format, options.new_passphrase)


def _to_p12(work: _Work) -> Iterator[Rendered]:
    options = work.options
    yield render.key_store(work.pkcs8, work.path, work.alias, options.new_passphrase, legacy=options.legacy)


def _to_jks(work: _Work) -> Iterator[Rendered]:
    yield render.java_key_store(work.pkcs8, work.path, work.alias, work.options.new_passphrase)


def _to_p7b(work: _Work) -> Iterator[Rendered]:
    """The certificate and its chain, or only CA certificates; CRLs of the sources are kept."""
    crls = [one.der for one in work.material.others if one.kind is Kind.CRL]
    if work.has_only_cas:
        yield render.pkcs7(work.ordered_chain, crls)
    elif crls and not work.material.certificates:
        yield render.pkcs7((), crls)
    else:
        yield render.pkcs7(work.path, crls)


def _other(work: _Work, suffix: str) -> Rendered:
    """Return the CRLs, or the one request or public key, of sources that contain nothing else."""
    others = work.material.others
    if len(others) > 1:
        if suffix == ".der" or any(one.kind is not Kind.CRL for one in others):
            where = ", ".join(f"{one.kind} in {one.source}" for one in others)
            raise InputError(f"ambiguous input; specify one of {where}")
        data = b"".join(pem.encode(pem.CRL, one.der) for one in others)
        return Rendered(suffix, data, f"{len(others)} CRLs in PEM")
    (one,) = others
    data = one.der if suffix == ".der" else pem.encode(_LABELS[one.kind], one.der)
    return Rendered(suffix, data, f"{one.kind} in {'DER' if suffix == '.der' else 'PEM'}")


_WRITERS: Mapping[Target, Callable[[_Work], Iterator[Rendered]]] = {
    Target.APPLIANCE: _to_appliance,
    Target.CRT: _to_crt,
    Target.KEY: _to_key,
    Target.PEM: _to_pem,
    Target.DER: _to_der,
    Target.P12: _to_p12,
    Target.P7B: _to_p7b,
    Target.JKS: _to_jks,
}
