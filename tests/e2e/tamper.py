"""A relay in front of the real PostgreSQL that, at a word in a query, answers
in its place with bytes of the test's own: an upstream gone mad."""

import socket
import threading

import pgwire


class Tamper:
    """Listens on `port`. `answers` maps a word to what is sent when a client
    message has it: bytes, and None among them closes the connection."""

    def __init__(self, port, answers):
        self.target, self.answers = port, answers
        self.is_deaf, self.held = False, []  # connections nobody answers
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.is_deaf:
                self.held.append(client)
                continue
            server = socket.create_connection(("127.0.0.1", self.target))
            for way in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._relay, args=way,
                                 daemon=True).start()

    def _relay(self, source, sink, is_client):
        try:
            while True:
                piece = source.recv(65536)
                if not piece:
                    break
                word = is_client and next(
                    (w for w in self.answers if w in piece), None)
                if not word:
                    sink.sendall(piece)
                    continue
                for part in self.answers[word]:
                    if part is None:
                        return
                    source.sendall(part)
        except OSError:
            pass
        finally:
            for s in (source, sink):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def through_tamper(world, answers, **changes):
    """A Sallyport whose upstream is tampered with."""
    tamper = Tamper(world.pg.port, answers)
    s = world.sallyport(
        upstream={"address": f"127.0.0.1:{tamper.port}"}, **changes)
    return s, tamper


def row_description(*fields):
    """Fields of (name, table, column, type OID, format)."""
    body = len(fields).to_bytes(2, "big")
    for name, table, column, oid, form in fields:
        body += (name.encode() + b"\0" + table.to_bytes(4, "big")
                 + column.to_bytes(2, "big") + oid.to_bytes(4, "big")
                 + b"\xff\xff" + b"\xff\xff\xff\xff"
                 + (form & 0xffff).to_bytes(2, "big"))
    return pgwire.message(b"T", body)


def data_row(*values):
    body = len(values).to_bytes(2, "big")
    for value in values:
        body += len(value).to_bytes(4, "big") + value
    return pgwire.message(b"D", body)
