"""An issuer of signed tokens: keys, sets of keys, tokens right and wrong."""

import base64
import hashlib
import hmac
import json
import time
import uuid

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import (ec, ed25519, padding,
                                                       rsa, utils)

NAME = "https://login.shop.example"
RSA_HASHES = {"RS256": hashes.SHA256, "RS384": hashes.SHA384,
              "RS512": hashes.SHA512, "PS256": hashes.SHA256}
CURVES = {"ES256": ("P-256", ec.SECP256R1, hashes.SHA256, 32),
          "ES384": ("P-384", ec.SECP384R1, hashes.SHA384, 48)}


def base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def part(value):
    return base64url(value if isinstance(value, bytes)
                     else json.dumps(value).encode())


class Key:
    """One key pair that signs by one algorithm."""

    def __init__(self, kid="first", alg="ES256"):
        self.kid, self.alg = kid, alg
        if alg in CURVES:
            self.private = ec.generate_private_key(CURVES[alg][1]())
        elif alg == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = rsa.generate_private_key(65537, 2048)

    def public(self):
        """As a JSON Web Key."""
        public = self.private.public_key()
        if self.alg in CURVES:
            name, _, _, size = CURVES[self.alg]
            n = public.public_numbers()
            numbers = {"kty": "EC", "crv": name,
                       "x": base64url(n.x.to_bytes(size, "big")),
                       "y": base64url(n.y.to_bytes(size, "big"))}
        elif self.alg == "EdDSA":
            numbers = {"kty": "OKP", "crv": "Ed25519",
                       "x": base64url(public.public_bytes(
                           serialization.Encoding.Raw,
                           serialization.PublicFormat.Raw))}
        else:
            n = public.public_numbers()
            numbers = {"kty": "RSA", "e": base64url(b"\1\0\1"),
                       "n": base64url(n.n.to_bytes(256, "big"))}
        return {**numbers, "kid": self.kid, "use": "sig", "alg": self.alg}

    def pem(self):
        """What everybody may have: the public key, as bytes."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, text):
        if self.alg in CURVES:
            _, _, digest, size = CURVES[self.alg]
            r, s = utils.decode_dss_signature(
                self.private.sign(text, ec.ECDSA(digest())))
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        if self.alg == "EdDSA":
            return self.private.sign(text)
        digest = RSA_HASHES[self.alg]()
        pad = padding.PKCS1v15() if self.alg != "PS256" else padding.PSS(
            padding.MGF1(digest), digest.digest_size)
        return self.private.sign(text, pad, digest)

    def token(self, user="alice", life=600, header=None, sign=None, **claims):
        """A claim or member of the header that is None is left out."""
        now = int(time.time())
        claims = {"iss": NAME, "sub": user, "aud": "sallyport",
                  "exp": now + life, "iat": now, "jti": str(uuid.uuid4()),
                  **claims}
        header = {"alg": self.alg, "kid": self.kid, "typ": "JWT",
                  **(header or {})}
        text = ".".join(part({k: v for k, v in each.items() if v is not None})
                        for each in (header, claims))
        return text + "." + base64url((sign or self.sign)(text.encode()))


def hmac_with(secret):
    """The signature of one who takes this for a shared secret."""
    return lambda text: hmac.digest(secret, text, hashlib.sha256)


def key_set(*keys):
    return json.dumps({"keys": [k.public() for k in keys]})
