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


def time_from_now(**distance):
    when = (datetime.datetime.now(datetime.timezone.utc)
            + datetime.timedelta(**distance))
    return when.strftime("%Y%m%d%H%M%SZ")


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
              expired=False, digest="sha256", file=None, also=(), usage=None,
              ca=False, days=(None, 30)):
        """The paths of a new certificate and its key, in files of that name
        (which are written anew) or of one of their own. `also`: more names,
        as "URI:…" or "email:…"; `usage`: extendedKeyUsage; `days`: from now,
        the first None: long ago."""
        self.issued += 1
        base = os.path.join(self.folder, file or f"{self.issued}-"
                            + (common_name or "").replace("/", "-"))
        key, certificate = base + ".key", base + ".crt"
        self._key(key, kind)
        extensions = f"basicConstraints=CA:{str(ca).upper()}\n"
        if names or addresses or also:
            extensions += "subjectAltName=" + ",".join(
                [f"DNS:{n}" for n in names]
                + [f"IP:{a}" for a in addresses] + list(also)) + "\n"
        if usage:
            extensions += f"extendedKeyUsage={usage}\n"
        with open(base + ".ext", "w", encoding="ascii") as f:
            f.write(extensions)
        openssl("req", "-new", "-key", key, "-subj",
                "/CN=" + common_name.replace("/", "\\/") if common_name
                else "/",
                "-out", base + ".csr")
        self._sign(base, certificate, digest,
                   (None, -1) if expired else days)
        self.give(certificate, 0o644)
        return certificate, key

    def _configure(self, base):
        """ca(1), with an index of its own."""
        with open(base + ".cnf", "w", encoding="ascii") as f:
            f.write("[ca]\ndefault_ca=this\n[this]\npolicy=any\n"
                    "rand_serial=yes\nunique_subject=no\ndefault_md=sha256\n"
                    f"new_certs_dir={self.folder}\n"
                    f"database={base}.index\n[any]\ncommonName=optional\n")
        with open(base + ".index", "w", encoding="ascii"):
            pass
        return ("ca", "-batch", "-config", base + ".cnf",
                "-cert", self.certificate, "-keyfile", self.key)

    def _sign(self, base, certificate, digest, days):
        """By ca(1), which alone can date back."""
        start, end = days
        openssl(*self._configure(base), "-notext",
                "-md", digest, "-extfile", base + ".ext",
                "-startdate", "20200101000000Z" if start is None
                else time_from_now(days=start),
                "-enddate", time_from_now(days=end),
                "-in", base + ".csr", "-out", certificate)

    def revoke(self, *certificates, path=None, hours=24):
        """A CRL with these, good for so many hours (less than none: it has
        expired); its path."""
        path = path or os.path.join(self.folder, "revoked.crl")
        base = os.path.join(self.folder, "revocation")
        command = self._configure(base)
        for certificate in certificates:
            openssl(*command, "-revoke", certificate)
        openssl(*command, "-gencrl", "-out", path,
                "-crl_lastupdate", time_from_now(hours=min(0, hours) - 1),
                "-crl_nextupdate", time_from_now(hours=hours))
        return self.give(path, 0o644)

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
