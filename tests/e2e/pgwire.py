"""PostgreSQL's protocol 3 by hand, to say what no driver would say.

Messages are (kind, body) pairs of bytes.  Nothing here hides an order or a
length: a test composes exactly the bytes it wants.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import select
import socket
import ssl
import struct

NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Closed(Exception):
    """The peer closed the connection."""


class ServerError(Exception):
    """An ErrorResponse where the test expected none."""

    def __init__(self, fields):
        super().__init__(f"{fields.get('C')}: {fields.get('M')}")
        self.fields = fields


def message(kind, body=b""):
    return kind + struct.pack("!i", len(body) + 4) + body


def string(text):
    return (text if isinstance(text, bytes) else text.encode()) + b"\0"


def startup(version=(3, 0), **parameters):
    body = struct.pack("!hh", *version)
    for name, value in parameters.items():
        body += string(name) + string(value)
    body += b"\0"
    return struct.pack("!i", len(body) + 4) + body


def query(sql):
    return message(b"Q", string(sql))


def parse(sql, name="", types=()):
    return message(b"P", string(name) + string(sql)
                   + struct.pack(f"!h{len(types)}i", len(types), *types))


def bind(values=(), portal="", statement="", formats=(), results=()):
    body = string(portal) + string(statement)
    body += struct.pack(f"!h{len(formats)}h", len(formats), *formats)
    body += struct.pack("!h", len(values))
    for value in values:
        if value is None:
            body += struct.pack("!i", -1)
        else:
            raw = value if isinstance(value, bytes) else str(value).encode()
            body += struct.pack("!i", len(raw)) + raw
    body += struct.pack(f"!h{len(results)}h", len(results), *results)
    return message(b"B", body)


def describe(kind, name=""):
    return message(b"D", kind + string(name))


def execute(portal="", rows=0):
    return message(b"E", string(portal) + struct.pack("!i", rows))


def close(kind, name=""):
    return message(b"C", kind + string(name))


SYNC = message(b"S")
FLUSH = message(b"H")
TERMINATE = message(b"X")
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSSENC_REQUEST = struct.pack("!ii", 8, 80877104)


def cancel_request(pid, secret):
    """`secret`: a number of 4 bytes, or the bytes of a longer key."""
    if isinstance(secret, int):
        secret = struct.pack("!I", secret)
    return struct.pack("!iii", 12 + len(secret), 80877102, pid) + secret


def error_fields(body):
    """An ErrorResponse's or NoticeResponse's fields, by their letters."""
    fields = {}
    for part in body.split(b"\0"):
        if part:
            fields[chr(part[0])] = part[1:].decode("utf-8", "replace")
    return fields


def data_row(body):
    count, = struct.unpack_from("!h", body)
    at, values = 2, []
    for _ in range(count):
        length, = struct.unpack_from("!i", body, at)
        at += 4
        if length < 0:
            values.append(None)
        else:
            values.append(body[at:at + length])
            at += length
    return values


def scram_verifier(password, salt=None, iterations=4096):
    """As PostgreSQL writes it, and as identities.yaml keeps it."""
    salt = salt or os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored = hashlib.sha256(client_key).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    text = [base64.b64encode(b).decode() for b in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{text[0]}${text[1]}:{text[2]}"


class Replies:
    """What came back up to ReadyForQuery, as questions a test asks."""

    def __init__(self, messages):
        self.messages = messages

    @property
    def kinds(self):
        return b"".join(kind for kind, _ in self.messages).decode()

    @property
    def rows(self):
        return [data_row(b) for kind, b in self.messages if kind == b"D"]

    @property
    def errors(self):
        return [error_fields(b) for kind, b in self.messages if kind == b"E"]

    @property
    def notices(self):
        return [error_fields(b) for kind, b in self.messages if kind == b"N"]

    @property
    def tags(self):
        return [b[:-1].decode() for kind, b in self.messages if kind == b"C"]

    @property
    def status(self):
        """I, T or E of the last ReadyForQuery."""
        states = [b for kind, b in self.messages if kind == b"Z"]
        return states[-1].decode() if states else None

    def bodies(self, kind):
        return [b for k, b in self.messages if k == kind]


class Wire:
    """One connection. Every wait has the deadline given at the start."""

    def __init__(self, address, timeout=20):
        """To an address, a path, or with a socket that is connected."""
        if isinstance(address, socket.socket):
            self.socket = address
            self.socket.settimeout(timeout)
        elif isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.parameters = {}
        self.pid = self.secret = self.key = None
        self.mechanisms = []
        self.negotiated = None  # NegotiateProtocolVersion, if it came

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts):
        self.socket.sendall(b"".join(parts))

    def take(self, size):
        if len(self.buffer) < size:
            self.receive_bytes(size)
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def receive_bytes(self, size):
        """Until there are so many; joined once, as there may be millions."""
        pieces, had = [self.buffer], len(self.buffer)
        try:
            while had < size:
                pieces.append(self.socket.recv(65536))
                had += len(pieces[-1])
                if not pieces[-1]:
                    raise Closed(f"closed after {b''.join(pieces)!r}")
        finally:
            self.buffer = b"".join(pieces)

    def receive(self):
        kind = self.take(1)
        length, = struct.unpack("!i", self.take(4))
        return kind, self.take(length - 4)

    def until(self, *kinds):
        """All messages up to and with the first of one of these kinds."""
        messages = []
        while not messages or messages[-1][0] not in kinds:
            messages.append(self.receive())
        return Replies(messages)

    def exchange(self, *parts, syncs=1):
        """Send, then read to the syncs-th ReadyForQuery."""
        self.send(*parts)
        messages = []
        for _ in range(syncs):
            messages += self.until(b"Z").messages
        return Replies(messages)

    def exchange_at_once(self, *parts):
        """Send, and read whatever comes meanwhile; then to ReadyForQuery. In
        one thread: two must not use a connection under TLS together."""
        patience = self.socket.gettimeout()
        rest, came = memoryview(b"".join(parts)), [self.buffer]
        self.socket.settimeout(0)
        while rest:
            if not any(select.select([self.socket], [self.socket], [],
                                     patience)):
                raise TimeoutError("neither takes nor gives")
            with contextlib.suppress(*NOT_YET):
                rest = rest[self.socket.send(rest[:1 << 16]):]
            with contextlib.suppress(*NOT_YET):
                came.append(self.socket.recv(1 << 16))
                if not came[-1]:
                    raise Closed("closed while it was sent to")
        self.socket.settimeout(patience)
        self.buffer = b"".join(came)
        return self.until(b"Z")

    def query(self, sql):
        return self.exchange(query(sql))

    def extended(self, sql, values=(), formats=(), results=()):
        return self.exchange(parse(sql), bind(values, formats=formats,
                             results=results), describe(b"P"), execute(), SYNC)

    def rest(self):
        """Everything up to the end of the connection, as messages; the
        connection must end within the deadline."""
        messages = []
        try:
            while True:
                messages.append(self.receive())
        except (Closed, ConnectionResetError, BrokenPipeError):
            return Replies(messages)

    def start_tls(self, context, direct=False, name="localhost"):
        """TLS from here on: asked for, or from the first byte."""
        if not direct:
            self.send(SSL_REQUEST)
            answer = self.take(1)
            if answer != b"S":
                raise ServerError({"M": f"SSLRequest answered {answer!r}"})
        self.socket = context.wrap_socket(self.socket, server_hostname=name)
        return self

    def login(self, user, password, database="shop", version=(3, 0),
              binding=None, **parameters):
        """`binding`: the bytes of tls-server-end-point, to be bound to."""
        self.send(startup(version, user=user, database=database,
                          **parameters))
        return self.answer_login(user, password, binding)

    def answer_login(self, user, password, binding=None):
        """Go through authentication to the first ReadyForQuery."""
        scram = Scram(password, binding)
        while True:
            kind, body = self.receive()
            if kind == b"E":
                raise ServerError(error_fields(body))
            if kind == b"S":
                name, value = body[:-1].split(b"\0")
                self.parameters[name.decode()] = value.decode()
            elif kind == b"K":
                self.pid, = struct.unpack_from("!i", body)
                self.key = body[4:]
                self.secret, = struct.unpack_from("!I", body, 4)
            elif kind == b"v":
                version, count = struct.unpack_from("!ii", body)
                names = [n.decode() for n in body[8:].split(b"\0")[:-1]]
                assert len(names) == count
                self.negotiated = (version >> 16, version & 65535), names
            elif kind == b"Z":
                return self
            elif kind == b"R":
                self._authenticate(body, user, password, scram)

    def _authenticate(self, body, user, password, scram):
        code, = struct.unpack_from("!i", body)
        if code == 0:
            return
        if code == 10:
            self.mechanisms = body[4:].split(b"\0")[:-2]
            first = scram.first()
            self.send(message(b"p", string(scram.mechanism)
                      + struct.pack("!i", len(first)) + first))
        elif code == 11:
            self.send(message(b"p", scram.final(body[4:])))
        elif code == 12:
            scram.verify(body[4:])
        elif code == 3:
            self.send(message(b"p", string(password)))
        elif code == 5:
            inner = hashlib.md5((password + user).encode()).hexdigest()
            outer = hashlib.md5(inner.encode() + body[4:8]).hexdigest()
            self.send(message(b"p", string("md5" + outer)))
        else:
            raise AssertionError(f"authentication request {code}")


class Scram:
    """The client's half of SCRAM-SHA-256 (RFC 5802), and of -PLUS when it
    is given what to bind to. A test may change header and mechanism."""

    def __init__(self, password, binding=None):
        self.password = password.encode()
        self.nonce = base64.b64encode(os.urandom(18))
        self.binding = binding or b""
        self.header = b"p=tls-server-end-point,," if binding else b"n,,"
        self.mechanism = "SCRAM-SHA-256" + ("-PLUS" if binding else "")

    def first(self):
        self.bare = b"n=,r=" + self.nonce
        return self.header + self.bare

    def final(self, challenge):
        parts = dict(p.split(b"=", 1) for p in challenge.split(b","))
        assert parts[b"r"].startswith(self.nonce), "the nonce is not ours"
        salted = hashlib.pbkdf2_hmac("sha256", self.password,
                                     base64.b64decode(parts[b"s"]),
                                     int(parts[b"i"]))
        bound = base64.b64encode(self.header + self.binding)
        without = b"c=" + bound + b",r=" + parts[b"r"]
        auth = b",".join((self.bare, challenge, without))
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), auth, "sha256")
        proof = bytes(a ^ b for a, b in zip(key, signature))
        server = hmac.digest(salted, b"Server Key", "sha256")
        self.expected = hmac.digest(server, auth, "sha256")
        return without + b",p=" + base64.b64encode(proof)

    def verify(self, final):
        assert final == b"v=" + base64.b64encode(self.expected), \
            "the server does not know the password either"
