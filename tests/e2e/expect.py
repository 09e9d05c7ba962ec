"""What tests expect, said in one line."""

import json

import pgwire


class raises:
    """`with raises(Error) as caught:` one of these errors must come out."""

    def __init__(self, *kinds):
        self.kinds, self.error = kinds, None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if kind is None:
            raise AssertionError("no error, but one of "
                                 + ", ".join(k.__name__ for k in self.kinds))
        if not issubclass(kind, self.kinds):
            return False
        self.error = error
        return True


def refused_login(sallyport, login, password, sqlstate=None, database=None):
    """The login fails with one clear error; its fields."""
    with sallyport.bare_wire() as w:
        w.send(pgwire.startup(user=login,
                              database=database or sallyport.database))
        try:
            w.answer_login(login, password)
        except pgwire.ServerError as e:
            assert e.fields["S"] == "FATAL", e.fields
            assert sqlstate in (None, e.fields["C"]), e.fields
            assert not w.rest().messages, "more after the fatal error"
            return e.fields
    raise AssertionError(f"{login} was let in")


def denied(replies, rule=None, operation=None):
    """The replies hold one refusal of Sallyport's; its DETAIL, decoded."""
    assert len(replies.errors) == 1, (replies.kinds, replies.errors)
    error = replies.errors[0]
    assert error["S"] == "ERROR" and error["C"] == "42501", error
    detail = json.loads(error["D"])
    assert detail["decision"] == "deny", detail
    if rule is not None:
        assert detail["rule"] == rule and rule in error["M"], error
    if operation is not None:
        assert operation in detail["operations"], detail
    return detail


def ok(replies):
    """No error among them."""
    assert not replies.errors, replies.errors
    return replies


def fails(replies, sqlstate=None):
    """The replies hold one error; its fields."""
    assert len(replies.errors) == 1, (replies.kinds, replies.errors)
    error = replies.errors[0]
    assert sqlstate in (None, error["C"]), error
    return error
