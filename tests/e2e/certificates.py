"""A certificate authority in a folder, made with openssl(1)."""

import datetime
import os
import ssl
import subprocess

KINDS = {
    "ec": ("EC", "ec_paramgen_curve:P-256"),
    "ec384": ("EC", "ec_paramgen_curve:P-384"),
    "ec521": ("EC", "ec_paramgen_curve:P-521"),
    "rsa": ("RSA", "rsa_keygen_bits:2048"),
    "ed25519": ("ED25519", None),
    "secp256k1": ("EC", "ec_paramgen_curve:secp256k1"),
    "small": ("RSA", "rsa_keygen_bits:1024"),
}


def openssl(*arguments, text=None):
    subprocess.run(["openssl", *arguments], check=True, input=text,
                   capture_output=True, text=True)


class Authority:
    """Issues certificates; `certificate` is the path of its own. `give`
    makes a file the servers' own."""

    def __init__(self, folder, give, name="test authority"):
        self.folder, self.give = folder, give
        os.makedirs(folder, exist_ok=True)
        give(folder)
        self.issued = 0
        self.certificate = os.path.join(folder, "ca.crt")
        self.key = os.path.join(folder, "ca.key")
        self._key(self.key, "ec")
        openssl("req", "-x509", "-new", "-key", self.key, "-subj",
                f"/CN={name}", "-days", "3650", "-out", self.certificate,
                "-addext", "basicConstraints=critical,CA:TRUE")
        give(self.certificate, 0o644)

    def _key(self, path, kind):
        algorithm, option = KINDS[kind]
        openssl("genpkey", "-algorithm", algorithm, "-out", path,
                *(("-pkeyopt", option) if option else ()))
        self.give(path, 0o600)

    def issue(self, common_name, kind="ec", names=(), addresses=(),
              expired=False, digest="sha256", file=None):
        """The paths of a new certificate and its key, in files of that name
        (which are written anew) or of one of their own."""
        self.issued += 1
        base = os.path.join(self.folder, file or f"{self.issued}-"
                            + common_name.replace("/", "-"))
        key, certificate = base + ".key", base + ".crt"
        self._key(key, kind)
        extensions = "basicConstraints=CA:FALSE\n"
        if names or addresses:
            extensions += "subjectAltName=" + ",".join(
                [f"DNS:{n}" for n in names]
                + [f"IP:{a}" for a in addresses]) + "\n"
        with open(base + ".ext", "w", encoding="ascii") as f:
            f.write(extensions)
        openssl("req", "-new", "-key", key, "-subj", f"/CN={common_name}",
                "-out", base + ".csr")
        self._sign(base, certificate, digest, expired)
        self.give(certificate, 0o644)
        return certificate, key

    def _sign(self, base, certificate, digest, expired):
        """By ca(1), which alone can date back."""
        with open(base + ".cnf", "w", encoding="ascii") as f:
            f.write("[ca]\ndefault_ca=this\n[this]\npolicy=any\n"
                    "rand_serial=yes\nunique_subject=no\n"
                    f"new_certs_dir={self.folder}\n"
                    f"database={base}.index\n[any]\ncommonName=supplied\n")
        with open(base + ".index", "w", encoding="ascii"):
            pass
        now = datetime.datetime.now(datetime.timezone.utc)
        end = now + datetime.timedelta(days=-1 if expired else 30)
        openssl("ca", "-batch", "-notext", "-config", base + ".cnf",
                "-cert", self.certificate, "-keyfile", self.key,
                "-md", digest, "-extfile", base + ".ext",
                "-startdate", "20200101000000Z",
                "-enddate", end.strftime("%Y%m%d%H%M%SZ"),
                "-in", base + ".csr", "-out", certificate)

    def context(self, certificate=None, alpn=None, newest=None, trusts=True):
        """A client's SSLContext that trusts this authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if trusts:
            context.load_verify_locations(self.certificate)
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(*certificate)
        if alpn:
            context.set_alpn_protocols(alpn)
        if newest:
            context.minimum_version = min(newest, ssl.TLSVersion.TLSv1_2)
            context.maximum_version = newest
        return context
