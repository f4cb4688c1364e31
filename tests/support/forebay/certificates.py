"""Certificates of the tests' own, made with openssl."""

import pathlib
import subprocess


class Authority:
    """Keeps its own certificate and all that it issues in `folder`: NAME.pem and NAME.key."""

    def __init__(self, folder: pathlib.Path, name: str = "ca"):
        self.folder = folder
        self.name = name
        folder.mkdir(parents=True, exist_ok=True)
        self._openssl("req", "-x509", *self._new_key(name), "-days", "2", "-subj", f"/CN={name}", "-out", f"{name}.pem")

    @property
    def certificate(self) -> pathlib.Path:
        return self.folder / f"{self.name}.pem"

    def issue(self, name: str, subject: str, names: tuple[str, ...] = (), days: int = 2) -> tuple[pathlib.Path, pathlib.Path]:
        """(certificate, key) for a subject as "/O=system:masters/CN=admin" and for names as "IP:127.0.0.1", if it is a
        server's. Over at once with `days` 0."""
        self._openssl("req", *self._new_key(name), "-subj", subject, "-out", f"{name}.csr")
        extensions = ["basicConstraints=CA:FALSE", "extendedKeyUsage=clientAuth,serverAuth"]
        if names:
            extensions.append(f"subjectAltName={','.join(names)}")
        (self.folder / f"{name}.ext").write_text("\n".join(extensions) + "\n")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key",
                      "-CAcreateserial", "-days", str(days), "-extfile", f"{name}.ext", "-out", f"{name}.pem")  # fmt: skip
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    @staticmethod
    def _new_key(name: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]

    def _openssl(self, *words: str):
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)


def certificate(folder: pathlib.Path) -> tuple[str, str]:
    """Paths of a certificate for loopback that vouches for itself, and of its key, in PEM."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return str(folder / "cert.pem"), str(folder / "key.pem")
