"""Who else could change what Sallyport believes? Then it does not start."""

import os
import shutil

import harness
import needs
from expect import raises
from rooted import rooted
from test_config import place_of

TLS = {"client_ca": True}


def group_of_others():
    """A group that is no account's own, if we may give files to it."""
    return 65533 if os.geteuid() == 0 else -1


def files_of(s):
    """{key in sallyport.yaml: (path, is it a secret?)}"""
    tls = s.settings["listen"][0]["tls"]
    return {
        "identities": (os.path.join(s.folder, "identities.yaml"), True),
        "password_file": (os.path.join(s.folder, "secrets/shop"), True),
        "certificate": (tls["certificate"], False),
        "key": (tls["key"], True),
        "client_ca": (tls["client_ca"], False),
        "policies": (os.path.join(s.folder, "policies.d/10-shop.yaml"),
                     False),
    }


def refused(s, place, *parts):
    done = s.check()
    lines = [line for line in done.stderr.splitlines()
             if line.startswith(place) and all(p in line for p in parts)]
    assert done.returncode == 1 and lines, (place, parts, done)
    return lines[0]


def accepted(s):
    done = s.check()
    assert done.returncode == 0, done.stderr


def does_not_start(s, *parts):
    with raises(AssertionError) as caught:
        s.start()
    for part in ("sallyportd ended", *parts):
        assert part in str(caught.error), (part, caught.error)


def test_files_that_others_may_write_are_refused(world):
    s = world.prepare(tls=TLS)
    accepted(s)
    for key, (path, _) in files_of(s).items():
        before = os.stat(path)
        os.chmod(path, before.st_mode | 0o002)
        refused(s, place_of(s, key), "permissions of " + path,
                "others may write to it", "chmod o-w " + path)
        os.chmod(path, before.st_mode)
        if os.geteuid() == 0:
            os.chown(path, before.st_uid, group_of_others())
            os.chmod(path, before.st_mode | 0o020)
            refused(s, place_of(s, key), "its group may write to it",
                    "chmod g-w " + path)
            os.chown(path, before.st_uid, before.st_gid)
            os.chmod(path, before.st_mode)
    accepted(s)


def test_settings_that_others_may_write_are_refused(world):
    s = world.prepare()
    os.chmod(s.config, 0o646)
    refused(s, s.config + ": permissions of " + s.config,
            "others may write to it")
    does_not_start(s, "others may write to it")


def test_secrets_that_others_may_read_are_refused(world):
    s = world.prepare(tls=TLS)
    for key, (path, is_secret) in files_of(s).items():
        before = os.stat(path)
        os.chmod(path, 0o604)
        if is_secret:
            refused(s, place_of(s, key), "permissions of " + path,
                    "must not be readable by others", "chmod o-r " + path)
        else:
            accepted(s)
        if os.geteuid() == 0 and is_secret:
            os.chown(path, before.st_uid, group_of_others())
            os.chmod(path, 0o640)
            refused(s, place_of(s, key), "its group may read it")
            os.chown(path, before.st_uid, before.st_gid)
        os.chmod(path, before.st_mode)


def test_identities_without_passwords_are_no_secret(world):
    s = world.prepare()
    s.identities = {"people": {"alice": {"groups": ["analysts"]},
                               "carol": {"groups": ["dba"]},
                               "sam": {"groups": ["support-leads"]}},
                    "agents": {"copilot": {}}}
    s.policy = {"rules": [{"name": "all", "does": ["read"],
                           "then": "allow"}]}
    s.write_all()
    os.chmod(os.path.join(s.folder, "identities.yaml"), 0o644)
    accepted(s)


def test_folders_that_others_may_write_to_are_refused(world):
    s = world.prepare()
    for key, name in (("identities", ""), ("policies", "policies.d"),
                      ("password_file", "secrets")):
        folder = os.path.join(s.folder, name).rstrip("/")
        before = os.stat(folder).st_mode
        os.chmod(folder, 0o777)
        refused(s, s.config, folder, "others may write to it",
                "chmod o-w " + folder)
        if name:
            refused(s, place_of(s, key))
        # nobody else can take anything out: so the files are ours still
        os.chmod(folder, 0o1777)
        if name == "secrets":
            accepted(s)
        else:  # but may put policies, a socket there
            refused(s, s.config, folder)
        os.chmod(folder, before)
    accepted(s)


def test_folder_on_the_way_is_told_once(world):
    s = world.prepare()
    os.chmod(s.folder, 0o777)
    done = s.check()
    told = [line for line in done.stderr.splitlines()
            if ": " + s.folder + ": others may write to it" in line]
    assert len(told) == 1, done.stderr


def test_each_mode_that_is_wrong_is_told_once(world):
    s = world.prepare(tls=TLS)
    s.settings["audit"]["key_file"] = s.write("secrets/audit", 32 * "k")
    s.write_all()
    s.start()
    paths = [path for path, _ in files_of(s).values()]
    for name, mode in [(p, 0o666) for p in paths] + [
            ("secrets/audit", 0o644), ("secrets/audit", 0o666),
            ("secrets/shop", 0o644), ("policies.d", 0o777),
            ("secrets", 0o777)]:
        path = os.path.normpath(os.path.join(s.folder, name))
        before, so_far = os.stat(path).st_mode, len(s.log_text())
        os.chmod(path, mode)
        refusals = len(s.sink.find("policy"))
        s.signal(harness.signal.SIGHUP)
        assert s.sink.wait("policy", refusals + 1)["decision"] == "refused"
        logged = s.log_text()[so_far:].splitlines()
        checked = s.check().stderr.splitlines()
        os.chmod(path, before)
        for lines in (logged, checked):
            told = [line for line in lines if "permissions of " in line]
            assert len(told) == 1 and path in told[0], (path, mode, lines)


def test_folder_above_that_others_may_write_to_is_refused(world):
    s = world.prepare()
    above = os.path.dirname(s.folder)
    before = os.stat(above).st_mode
    os.chmod(above, 0o777)
    refused(s, s.config, above, "others may write to it")
    does_not_start(s, above + ": others may write to it")
    os.chmod(above, 0o1777)
    accepted(s)
    os.chmod(above, before)


def test_links_are_followed(world):
    s = world.prepare()
    elsewhere = os.path.join(s.folder, "elsewhere")
    os.mkdir(elsewhere)
    harness.give(elsewhere, 0o777)
    secret = os.path.join(s.folder, "secrets", "shop")
    moved = os.path.join(elsewhere, "shop")
    shutil.copy(secret, moved)
    harness.give(moved, 0o600)
    os.unlink(secret)
    os.symlink(moved, secret)
    os.lchown(secret, os.stat(moved).st_uid, -1)
    refused(s, place_of(s, "password_file"), elsewhere,
            "others may write to it")
    os.chmod(elsewhere, 0o755)
    accepted(s)
    os.chmod(moved, 0o644)
    refused(s, place_of(s, "password_file"), moved,
            "must not be readable by others")


def test_state_is_the_workers_alone(world):
    s = world.prepare()
    for mode in (0o755, 0o750, 0o701):
        os.chmod(os.path.join(s.folder, "state"), mode)
        refused(s, place_of(s, "state"), "chmod 700")
    does_not_start(s, "others than its owner get into it")


def test_sockets_that_others_could_replace_are_refused(world):
    s = world.prepare()
    open_to_all = os.path.join(s.folder, "run")
    os.mkdir(open_to_all)
    harness.give(open_to_all, 0o1777)
    s.settings["control"] = "run/control.sock"
    s.settings["listen"].append({"address": "unix:run/.s.PGSQL.6432",
                                 "upstream": "shop"})
    s.write_all()
    refused(s, place_of(s, "control"), open_to_all)
    refused(s, f"{s.config}:", f"permissions of {open_to_all}")
    assert s.check().stderr.count(open_to_all + ": others") == 2
    os.chmod(open_to_all, 0o755)
    accepted(s)


def test_data_of_our_own_that_others_may_write_is_refused(world):
    s = world.prepare()
    for name in ("classes/postgres.yaml", "functions/postgres.yaml"):
        folder = os.path.join(s.folder, "p")
        shutil.rmtree(folder, ignore_errors=True)
        programs = harness.install_programs(
            world.programs, harness_folder(folder))
        path = os.path.join(folder, "policies", name)
        os.chmod(path, 0o666)
        done = harness.subprocess.run(
            [os.path.join(programs, "sallyportd"), "-t", "-c", s.config],
            capture_output=True, text=True, timeout=harness.PATIENCE,
            check=False, env=s.environment(), cwd="/",
            **harness.unprivileged())
        assert done.returncode == 1 and \
            f"permissions of {path}: others may write" in done.stderr, done


def test_programs_of_our_own_that_others_could_change_are_refused(world):
    s = world.prepare()
    folder = harness_folder(os.path.join(s.folder, "p"))
    programs = harness.install_programs(world.programs, folder)
    daemon = os.path.join(programs, "sallyportd")

    def check():
        return harness.subprocess.run(
            [daemon, "-t", "-c", s.config], capture_output=True, text=True,
            timeout=harness.PATIENCE, check=False, env=s.environment(),
            cwd="/", **harness.unprivileged())

    assert check().returncode == 0
    for name in ("sallyport-verifier", "sallyport-pam"):
        path = os.path.join(programs, name)
        os.chmod(path, 0o757)
        done = check()
        assert done.returncode == 1 and \
            f"permissions of {path}: others may write" in done.stderr, done
        # and what is checked before a start is checked at one
        done = harness.subprocess.run(
            [daemon, "-f", "-c", s.config], capture_output=True, text=True,
            timeout=harness.PATIENCE, check=False, env=s.environment(),
            cwd="/", **harness.unprivileged())
        assert done.returncode == 1 and \
            f"permissions of {path}: others may write" in done.stderr, done
        os.chmod(path, 0o755)
    os.chmod(programs, 0o777)
    told = check().stderr
    assert told.count(f"{programs}: others may write to it") == 1, told


def test_start_and_check_want_all_programs(world):
    s = world.prepare()
    folder = harness_folder(os.path.join(s.folder, "q"))
    programs = harness.install_programs(world.programs, folder)
    for name in ("sallyport-verifier", "sallyport-pam"):
        path = os.path.join(programs, name)
        os.rename(path, path + ".away")
        for argument in ("-t", "-f"):
            done = harness.subprocess.run(
                [os.path.join(programs, "sallyportd"), argument, "-c",
                 s.config], capture_output=True, text=True,
                timeout=harness.PATIENCE, check=False, env=s.environment(),
                cwd="/", **harness.unprivileged())
            assert done.returncode == 1 and f"{name}: this program " \
                "belongs to Sallyport: No such file" in done.stderr, done
        os.rename(path + ".away", path)


def harness_folder(folder):
    os.mkdir(folder)
    return harness.give(folder)


def test_refused_reload_leaves_the_old_policy(world):
    s = world.sallyport()
    with s.connect("alice") as c:
        path = os.path.join(s.folder, "policies.d", "10-shop.yaml")
        s.policy["rules"].append({"name": "nothing", "does": ["read"],
                                  "then": "deny"})
        s.policy["examples"] = []
        s.write_all()
        os.chmod(path, 0o666)
        s.signal(harness.signal.SIGHUP)
        told = s.sink.wait("policy", 2)
        assert told["decision"] == "refused", told
        assert f"permissions of {path}: others may write" in told["reason"]
        assert place_of(s, "policies") in told["reason"], told
        c.execute("SELECT 1")
        assert s.reload()["decision"] == "loaded"  # it is 0600 again
        with raises(harness.psycopg.errors.InsufficientPrivilege):
            c.execute("SELECT 1")


def test_every_kind_of_file_refuses_the_start(world):
    for name, mode, part in (
            ("identities.yaml", 0o644, "must not be readable by others"),
            ("identities.yaml", 0o622, "others may write to it"),
            ("policies.d", 0o777, "others may write to it"),
            ("secrets/shop", 0o644, "must not be readable by others")):
        s = world.prepare()
        os.chmod(os.path.join(s.folder, name), mode)
        does_not_start(s, part)


# --- started by root, workers with an account of their own ------------------


def test_root_starts_what_is_roots(world):
    needs.root()
    with rooted(world) as s:
        accepted(s)
        s.start()
        with s.connect("alice") as c:
            c.execute("SELECT 1")


def test_workers_account_may_not_own_what_it_obeys(world):
    needs.root()
    with rooted(world, tls=TLS) as s:
        accepted(s)
        uid = s.workers_account.pw_uid
        for key, (path, _) in files_of(s).items():
            os.chown(path, uid, -1)
            refused(s, place_of(s, key), path,
                    "belongs to the account that workers run as",
                    "chown root " + path)
            os.chown(path, 0, -1)
        for key, name in (("policies", "policies.d"),
                          ("password_file", "secrets")):
            os.chown(s.path(name), uid, -1)
            refused(s, place_of(s, key), s.path(name),
                    "belongs to the account that workers run as")
            os.chown(s.path(name), 0, -1)
        os.chown(s.folder, uid, -1)
        refused(s, s.config, s.folder)
        does_not_start(s, "belongs to the account that workers run as")
        os.chown(s.folder, 0, -1)
        accepted(s)


def test_workers_group_may_read_and_not_write(world):
    needs.root()
    with rooted(world, tls=TLS) as s:
        gid = s.workers_account.pw_gid
        for key, (path, is_secret) in files_of(s).items():
            os.chown(path, 0, gid)
            os.chmod(path, 0o640)
            accepted(s)
            os.chmod(path, 0o660)
            refused(s, place_of(s, key), "its group may write to it")
            os.chmod(path, 0o640)
            if is_secret and key != "identities":  # which they read
                os.chown(path, 0, group_of_others())
                refused(s, place_of(s, key), "its group may read it")
                os.chown(path, 0, gid)


def test_files_of_somebody_else_are_refused(world):
    needs.root()
    with rooted(world, tls=TLS) as s:
        for key, (path, _) in files_of(s).items():
            os.chown(path, 40001, -1)
            refused(s, place_of(s, key), path, "belongs to somebody else")
            os.chown(path, 0, -1)
        os.chown(s.path("state"), 0, -1)
        refused(s, place_of(s, "state"), "must belong to the account")
        os.chown(s.path("state"), 40001, -1)
        refused(s, place_of(s, "state"), "must belong to the account")


def test_reload_looks_with_the_eyes_of_root(world):
    """At what the workers' account cannot see."""
    needs.root()
    with rooted(world) as s:
        os.chmod(s.path("secrets"), 0o700)
        s.start()
        assert s.reload()["decision"] == "loaded"
        os.chown(s.path("secrets/shop"), s.workers_account.pw_uid, -1)
        told = s.reload()
        assert told["decision"] == "refused", told
        assert place_of(s, "password_file") in told["reason"], told
        with s.connect("alice") as c:
            c.execute("SELECT 1")


def test_key_of_masks_that_others_may_read_is_not_used(world):
    """State is closed, but the file may be older than that, or a copy."""
    s = world.sallyport()
    key = os.path.join(s.folder, "state", "mask.key")
    with s.connect("alice+copilot") as c:
        c.execute("SELECT name FROM customers LIMIT 1")
    assert os.stat(key).st_mode & 0o777 == 0o600
    os.chmod(key, 0o640)

    def is_refused():  # by a worker that was born since
        try:
            s.connect("alice").close()
        except harness.psycopg.OperationalError as e:
            assert "the key for masks cannot be read" in str(e), e
            return True
        return False

    harness.until(is_refused, "a worker to refuse the key")
    os.chmod(key, 0o600)
    harness.until(lambda: not is_refused(), "a worker to take the key")
