"""Text that has no tokens by the server's rules: an open quote and the like.
It is refused and recorded; the words are those that clients know."""

import pgwire
from expect import fails, ok
from tamper import through_tamper

BROKEN = ["SELECT 'open", 'SELECT "open', "SELECT /* open", "SELECT $$open",
          "SELECT 1; DELETE FROM orders; SELECT 'open", "SELECT 123abc",
          "SELECT E'\\xff'", "SELECT U&'\\D800'", 'SELECT ""', "SELECT $1a",
          "SELECT U&'x' UESCAPE '+'", "SELECT '\\u00zz' || E'\\u00zz'"]


def test_text_without_tokens_is_refused_in_the_servers_words(world):
    s = world.writable()
    for login in ("alice", "alice+copilot"):
        direct = pgwire.Wire(f"{world.pg.folder}/.s.PGSQL.{world.pg.port}")
        direct.login("owner", "", s.database)
        with s.wire(login) as w, direct:
            for sql in BROKEN:
                for way in (w.query, w.extended):
                    got = way(sql).errors
                    want = getattr(direct, way.__name__)(sql).errors
                    assert got == want and len(got) == 1, (sql, got, want)
            # a transaction fails of it as it does at the server
            ok(w.query("BEGIN"))
            fails(w.query("SELECT 'open"), "42601")
            fails(w.query("SELECT 1"), "25P02")
            assert w.query("ROLLBACK").status == "I"
            # what is prepared by name stays
            ok(w.exchange(pgwire.parse("SELECT 7", "named"), pgwire.SYNC))
            fails(w.exchange(pgwire.parse("SELECT 'open"), pgwire.SYNC))
            assert w.exchange(pgwire.bind(statement="named"),
                              pgwire.execute(),
                              pgwire.SYNC).rows == [[b"7"]]
    # each by two logins in two ways, and what was sent by itself
    wanted = len(BROKEN) * 4 + 4
    s.sink.wait("statement", wanted, decision="deny", statement=None)
    assert len(s.sink.find("statement", decision="deny",
                           statement=None)) == wanted
    assert world.pg.ask("SELECT count(*) > 0 FROM orders", s.database)[0][0]


def test_server_is_not_asked_about_a_long_one(world):
    """It reads open comments in the square of their length."""
    s = world.sallyport()
    with s.wire() as w:
        for broken in ("/*" * 4096 + "x", "SELECT '" + "x" * 8185):
            for way in (w.query, w.extended):
                error = fails(way(broken), "42601")
                assert "refused: unterminated" in error["M"], error
            # a transaction fails of it as it does at the server
            ok(w.query("BEGIN"))
            fails(w.query(broken), "42601")
            fails(w.query("SELECT 1"), "25P02")
            assert w.query("COMMIT").status == "I"
        error = fails(w.query("SELECT '" + "x" * 8184), "42601")
        assert "refused" not in error["M"], error
        assert w.query("SELECT 1").rows == [[b"1"]]


def test_text_the_server_reads_otherwise_is_refused_in_our_words(world):
    """Tampered with, the server takes what it should not be able to read."""
    broken = b"SELECT 'open"
    s, tamper = through_tamper(world, {broken: [pgwire.message(b"1")]})
    with s.wire() as w:
        error = fails(w.query(broken.decode()), "42501")
        assert "unterminated" in error["M"]
        assert w.query("SELECT 1").rows == [[b"1"]]
    tamper.close()
