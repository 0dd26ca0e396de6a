"""kubeadm: the directory /etc/kubernetes with its pki/ and the kubeconfig files."""

from __future__ import annotations

from pkigen.environment.environment import Case
from pkigen.export.case_files import CaseFiles, NotExportable, exportable_cases
from pkigen.export.draft import Draft, read_bytes
from pkigen.export.target import target

_SET = "kubernetes:"
_CERTIFICATES = {
    "kubernetes-ca": "ca",
    "etcd-ca": "etcd/ca",
    "kubernetes-front-proxy-ca": "front-proxy-ca",
    "kube-etcd": "etcd/server",
    "kube-etcd-peer": "etcd/peer",
    "kube-etcd-healthcheck-client": "etcd/healthcheck-client",
    "kube-apiserver-etcd-client": "apiserver-etcd-client",
    "kube-apiserver": "apiserver",
    "kube-apiserver-kubelet-client": "apiserver-kubelet-client",
    "front-proxy-client": "front-proxy-client",
}
"""The paths below pki/ of the roles of the requirement set, without suffix."""
_USERS = ("admin", "super-admin", "controller-manager", "scheduler", "kubelet")
"""The roles with a kubeconfig file."""
_API_SERVER_PORT = 6443


@target("kubeconfig.j2", start="cp -r kubernetes /etc/")
def kubeadm(draft: Draft) -> None:
    """/etc/kubernetes as kubeadm lays it out: pki/, and the kubeconfig files of users"""
    _add_authorities(draft)
    sound = [case for case in draft.given.environment.cases() if case.fault is None]
    server = next(
        (case for case in sound if _role(case.data.get("requirements", [])) == "kube-apiserver"), None
    )

    def fits(files: CaseFiles) -> None:
        if files.opened is None:
            raise NotExportable("its key cannot be read")
        if (path := _path(files.case, server)) in draft.files:
            raise NotExportable(f"another certificate is {path}")

    for files in exportable_cases(draft, fits):
        path = _path(files.case, server)
        if server is not None and path.endswith(".conf"):
            _add_kubeconfig(draft, path, files, server)
        else:
            draft.add(path, files.full)
            draft.add(path.removesuffix(".crt") + ".key", files.key, secret=True)
        draft.exported.append(files.case.name)
    draft.notes.append("`kubeadm init` creates sa.key and sa.pub, which have no certificate.")


def _path(case: Case, server: Case | None) -> str:
    """Return the path of a certificate; those without a role, and with a fault, are in others/."""
    role = _role(case.data.get("requirements", [])) if case.fault is None else ""
    if role in _USERS and server is not None:
        return f"kubernetes/{role}.conf"
    return f"kubernetes/pki/{_CERTIFICATES[role]}.crt" if role in _CERTIFICATES else f"others/{case.name}.crt"


def _add_authorities(draft: Draft) -> None:
    folder = draft.given.environment.folder
    for authority in draft.given.environment.contents.authorities:
        path = _CERTIFICATES.get(_role(authority.requirements)) if authority.fault is None else None
        if path is None or f"kubernetes/pki/{path}.crt" in draft.files:
            continue
        draft.add(f"kubernetes/pki/{path}.crt", read_bytes(folder / authority.files["certificate"]))
        if "key" in authority.files:
            key = read_bytes(folder / authority.files["key"])
            draft.add(f"kubernetes/pki/{path}.key", key, secret=True)


def _add_kubeconfig(draft: Draft, path: str, files: CaseFiles, server: Case) -> None:
    draft.render(
        path,
        "kubeconfig.j2",
        secret=True,
        server=f"https://{server.host}:{_API_SERVER_PORT}",
        user=path.removeprefix("kubernetes/").removesuffix(".conf"),
        certificate=files.full,
        key=files.key,
        ca=b"".join(map(read_bytes, server.anchors)),
    )


def _role(requirements: list[str]) -> str:
    """Return the role of the set `kubernetes` that a certificate has; empty if none."""
    roles = (one.removeprefix(_SET) for one in requirements if one.startswith(_SET))
    return next(roles, "")
