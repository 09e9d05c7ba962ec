"""Configuration errors: every one, with its place and a suggestion."""

import os
import re
import shutil

import harness
import needs
from expect import raises
from rooted import rooted

PLACE = re.compile(r"\S+\.yaml:\d+:\d+: ")


def complaints(world, file, *changes):
    """What sallyportd -t says when `file` has these replacements."""
    s = world.prepare()
    path = os.path.join(s.folder, file)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for old, new in changes:
        assert old in text, (old, text)
        text = text.replace(old, new, 1)
    s.write(file, text)
    done = s.check()
    assert done.returncode != 0, f"accepted: {changes}"
    return done.stdout + done.stderr


def test_good_configuration_passes_the_check(world):
    done = world.prepare().check()
    assert done.returncode == 0, done.stdout + done.stderr


def test_unknown_key_is_named_with_its_place_and_a_suggestion(world):
    said = complaints(world, "sallyport.yaml", ("workers:", "wrokers:"))
    assert PLACE.search(said), said
    assert "sallyport.yaml:" in said and "wrokers" in said
    assert "did you mean" in said and "workers" in said


def test_line_and_column_are_right(world):
    s = world.prepare()
    s.write("identities.yaml", "people:\n  alice:\n    gruops: [x]\n")
    done = s.check()
    assert "identities.yaml:3:5: " in done.stdout + done.stderr, done


def test_all_errors_of_a_file_are_reported(world):
    said = complaints(world, "sallyport.yaml", ("workers:", "wrokers:"),
                      ("engine: postgres", "engine: oracle"),
                      ("socket: log.sock", "socket: [log.sock]"))
    assert len(PLACE.findall(said)) >= 3, said


def test_wrong_settings_are_each_refused(world):
    for old, new in (
            ("spare: 2", "spare: 0"), ("spare: 2", "spare: many"),
            ("spare: 2", "spare: 33"), ("max: 32", "max: -1"),
            ("max: 32", "max: 99999999999999999999"),
            ("max: 32", "max: 32\n  max: 33"),
            ("max: 32", "max: 3.5"),
            ("engine: postgres", "engine: postgers"),
            ("upstream: shop", "upstream: sohp"),
            ("control: control.sock", "control: [1]"),
            ("listen:", "state2: x\nlisten:"),
            ("socket: log.sock", "socket: log.sock\n  on_failure: ignore"),
            ("socket: log.sock", "socket: log.sock\n  facility: lokal4"),
            ("state: state", "state: state\nstatement_limit: 16MB2"),
            ("state: state", "state: state\nstatement_limit: 0"),
            ("state: state", "state: state\nlogin_deadline: 0s"),
            ("state: state", "state: state\nstate: other")):
        said = complaints(world, "sallyport.yaml", (old, new))
        assert PLACE.search(said), (new, said)


def place_of(s, key):
    """file:line:column of a key's value in sallyport.yaml."""
    with open(s.config, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            at = line.find(key + ": ")
            if at >= 0:
                return f"{s.config}:{number}:{at + len(key) + 3}: "
    raise AssertionError(key)


def test_file_that_is_not_there_is_told_where_it_is_named(world):
    for key, value, absent in (
            ("identities", "identities.yaml", "nosuch.yaml"),
            ("policies", "policies.d", "nosuch.d"),
            ("password_file", "secrets/shop", "secrets/none")):
        s = world.prepare()
        with open(s.config, encoding="utf-8") as f:
            text = f.read()
        s.write("sallyport.yaml", text.replace(f"{key}: {value}",
                                               f"{key}: {absent}"))
        done = s.check()
        wanted = place_of(s, key) + os.path.join(s.folder, absent) + ": No"
        assert done.returncode == 1, (key, done)
        assert wanted in done.stderr, (wanted, done.stderr)
        with raises(AssertionError) as caught:
            s.start()
        assert wanted in str(caught.error), (wanted, caught.error)


def test_folder_of_the_control_socket_is_made_at_the_start(world):
    s = world.prepare()
    s.control = os.path.join(s.folder, "run", "control.sock")
    s.settings["control"] = "run/control.sock"
    s.write_all()
    done = s.check()
    assert done.returncode == 0, done
    s.start()
    assert s.json("status")["pid"] > 0


def test_check_warns_of_what_is_hardly_meant(world):
    known = harness.default_identities()
    known["people"]["dave"] = {}
    known["people"]["erin"] = {"pam": "nosuch"}
    known["agents"].update({
        "idle": {},
        "absent": {"executable": "/usr/bin/nosuch"},
        "link": {"executable": "/bin/env"},
        "own": {"executable": "/usr/bin/env", "uid": 4242},
        "open": {"executable": "/tmp/sallyport-nobody/x"}})
    s = world.prepare(identities=known)
    s.settings["listen"].append({"address": "0.0.0.0:5", "upstream": "shop"})
    mine = os.path.join(s.folder, "job")
    with open(mine, "w", encoding="ascii") as f:
        f.write("#!/bin/sh\n")
    os.chmod(mine, 0o777)
    known["agents"]["open"]["executable"] = mine
    s.write_all()
    done = s.check()
    assert done.returncode == 0, done
    for wanted in (
            "listen: 0.0.0.0:5: without `tls`",
            "cannot log in by themselves: dave, idle\n",
            "erin: pam: /etc/pam.d/nosuch is not there",
            "agent absent: executable: /usr/bin/nosuch: No such file",
            "/bin/env: a link is on the way: the kernel says /usr/bin/env",
            f"agent open: executable: {mine}: proves nobody: "):
        assert wanted in done.stderr, (wanted, done.stderr)
    for fine in ("agent own", "listen: 127.0.0.1", "carol", "nightly"):
        assert fine not in done.stderr, (fine, done.stderr)
    s.settings["listen"].pop()
    s.write_all()
    s.start()
    assert "cannot log in by themselves: dave, idle" in s.log_text()


def test_folder_without_policies_is_told_where_it_is_named(world):
    s = world.prepare()
    os.unlink(os.path.join(s.folder, "policies.d", "10-shop.yaml"))
    said = s.check().stderr
    assert place_of(s, "policies") in said and "no *.yaml" in said, said


def test_password_that_others_can_read_is_refused(world):
    s = world.prepare()
    secret = os.path.join(s.folder, "secrets", "shop")
    os.chmod(secret, 0o604)
    wanted = (f"{place_of(s, 'password_file')}permissions of {secret}: must "
              "not be readable by others")
    done = s.check()
    assert done.returncode == 1 and wanted in done.stderr, done
    with raises(AssertionError) as caught:
        s.start()
    assert wanted in str(caught.error), caught.error
    os.chmod(secret, 0o640)
    assert s.check().returncode == 0


def test_password_that_others_can_read_refuses_the_reload(world):
    s = world.sallyport()
    os.chmod(os.path.join(s.folder, "secrets", "shop"), 0o604)
    told = s.reload()
    assert told["decision"] == "refused", told
    assert place_of(s, "password_file") in told["reason"], told


def test_wrong_identities_are_each_refused(world):
    for old, new in (
            ("groups:", "gruops:"),
            ("SCRAM-SHA-256$4096", "SCRAM-SHA-1$4096"),
            ("SCRAM-SHA-256$4096", "SCRAM-SHA-256$0"),
            ("  bob:", "  alice:"), ("  nightly:", "  alice:"),
            ("  bob:", "  bo+b:"),
            ("  bob:", f"  {'b' * 64}:"),
            ("agents:", "agenst:"), ("acts_for:", "actsfor:")):
        said = complaints(world, "identities.yaml", (old, new))
        assert PLACE.search(said), (new, said)


def test_policies_that_contradict_themselves_are_each_refused(world):
    file = "policies.d/10-shop.yaml"
    for old, new, hint in (
            ("- read", "- raed", "read"),
            ("- where", "- wher", "where"),
            ("mask: email", "mask: emial", "email"),
            ("- credit_card", "- credit_crad", "credit_card"),
            ("then: allow", "then: alow", "allow"),
            ("group: dba", "group: dbas", "dba"),
            ("on: shop", "on: shp", "shop"),
            ("agent: none", "agnet: none", "agent"),
            ("rules:", "rulse:", "rules"),
            ("expect: allow", "expect: alow", "allow"),
            ("as: alice+copilot", "as: alcie+copilot", ""),
            ("then: approve", "then: allow", ""),  # with approve: beside it
            ("public.customers.email", "customers", ""),
            ("name: agents may read", "name: [x]", ""),
            ("within: 10m", "within: 10 parsecs", ""),
            ("of: 1", "of: 0", "")):
        said = complaints(world, file, (old, new))
        assert PLACE.search(said) and file in said, (new, said)
        assert hint in said.replace(new, ""), (new, said)


def test_pattern_that_does_not_compile_is_refused(world):
    s = world.prepare()
    s.policy["rules"].append({"name": "bad", "matches": "(", "then": "deny"})
    s.write_all()
    said = s.check()
    assert said.returncode != 0 and PLACE.search(said.stdout + said.stderr)


def test_example_that_fails_refuses_the_policy_at_its_line(world):
    said = complaints(world, "policies.d/10-shop.yaml",
                      ("expect: deny", "expect: allow"))
    assert PLACE.search(said) and "expected allow" in said, said
    assert ": DROP TABLE" in said, said  # the statement itself


def test_nothing_starts_with_a_bad_configuration(world):
    for name, content in (("sallyport.yaml", "listen: 7\n"),
                          ("identities.yaml", "people: [alice]\n"),
                          ("policies.d/10-shop.yaml", "rules: {}\n")):
        s = world.prepare()
        s.write(name, content)
        with raises(AssertionError) as caught:
            s.start()
        assert "sallyportd ended" in str(caught.error)
        assert PLACE.search(str(caught.error)), caught.error
        assert s.process.returncode != 0


def test_missing_and_unreadable_files_are_clear_errors(world):
    s = world.prepare()
    s.config = os.path.join(s.folder, "nosuch.yaml")
    done = s.check()
    assert done.returncode != 0
    assert "nosuch.yaml" in done.stdout + done.stderr


def test_yaml_bombs_and_oddities_are_refused_quickly(world):
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
    for before, name in zip("abcdefgh", "bcdefghi"):
        bomb += f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n"
    for content in (bomb, "a: &a [*a]\n", "[" * 20000, "{" * 20000,
                    "? x\n" * 10, "--- a\n--- b\n", "!!python/x {}\n",
                    "\xff\xfe", "", "x: \"" + "y" * 300000):
        s = world.prepare()
        s.write("policies.d/10-shop.yaml", content)
        done = s.check()
        if content:
            assert done.returncode in (1, 2), (content[:30], done)
        assert len(done.stderr) + len(done.stdout) < 100_000


def test_daemon_options(world):
    s = world.prepare()
    for words, status in ((["--help"], 0), (["-h"], 0), (["--nosuch"], 2),
                          (["-c"], 2)):
        done = harness.subprocess.run(
            [world.program("sallyportd"), *words], capture_output=True,
            text=True, timeout=harness.PATIENCE, check=False,
            env=s.environment())
        assert done.returncode == status, (words, done)
        assert "sallyportd" in done.stdout + done.stderr, (words, done)


def as_root(s):
    """sallyportd -t run by root, if we are root."""
    return harness.subprocess.run(
        [s.world.program("sallyportd"), "-t", "-c", s.config],
        capture_output=True, text=True, timeout=harness.PATIENCE,
        check=False, env=s.environment(), cwd="/")


def test_account_that_is_not_there_is_told_where_it_is_named(world):
    s = world.prepare(settings={"run_as": "nosuch"})
    for done in (s.check(), as_root(s)):
        assert done.returncode == 1, done
        assert place_of(s, "run_as") + "run_as: nosuch: no such account" in \
            done.stderr, done.stderr


def test_root_serves_nobody(world):
    """Neither by leaving the account out nor by naming root."""
    needs.root()
    with rooted(world) as s:
        for run_as in (None, "root"):
            s.settings.pop("run_as", None)
            if run_as:
                s.settings["run_as"] = run_as
            s.write_all()
            assert "root cannot start this" in as_root(s).stderr
            done = harness.subprocess.run(
                [s.world.program("sallyportd"), "-f", "-c", s.config],
                capture_output=True, text=True, timeout=harness.PATIENCE,
                check=False, env=s.environment(), cwd="/")
            assert done.returncode == 1, done
            assert "run_as: started by root" in done.stderr, done.stderr


def test_files_are_checked_as_the_account_that_will_read_them(world):
    needs.root()
    with rooted(world) as s:
        for name in ("identities.yaml", "policies.d"):
            s.chmod(name, 0o700)
        done = s.check()
        assert done.returncode == 1, done
        for key in ("identities", "policies"):
            assert place_of(s, key) in done.stderr, done.stderr
        assert done.stderr.count(
            ": Permission denied (as run_as nobody)") == 2, done.stderr
        for name, mode in (("identities.yaml", 0o640), ("policies.d", 0o755)):
            s.chmod(name, mode)
        done = s.check()
        assert done.returncode == 0, done
        assert "ok: " in done.stdout, done


def test_audit_socket_that_is_not_there_is_warned_of(world):
    s = world.prepare()
    assert "audit.socket" not in s.check().stderr
    s.sink.close()
    done = s.check()
    assert done.returncode == 0, done
    assert f"warning: audit.socket: {s.sink.path}: No such" in done.stderr


def test_names_that_the_database_would_cut_are_warned_of(world):
    said = "long-person+" + "a" * 56 + " is longer than 63 bytes"
    s = world.prepare()
    s.identities["people"]["long-person"] = {"groups": ["analysts"]}
    s.identities["agents"]["a" * 56] = {"acts_for": [{"group": "dba"}]}
    s.write_all()
    assert "longer than" not in s.check().stderr
    s.start()
    s.identities["agents"]["a" * 56]["acts_for"] = [{"group": "analysts"}]
    s.write_all()
    done = s.check()
    assert done.returncode == 0 and "warning: " + said in done.stderr, done
    assert "longer than" not in s.log_text()
    assert "refused" not in str(s.reload())
    assert said in s.log_text(), s.log_text()


def test_password_in_the_settings_is_pointed_to_a_file(world):
    said = complaints(world, "sallyport.yaml",
                      ("password_file: secrets/shop", "password: canary"))
    assert "password_file" in said and "canary" not in said, said


def test_label_value_that_is_nearly_one_is_a_slip(world):
    said = complaints(world, "policies.d/10-shop.yaml",
                      ("environment: production", "environment: produktion"))
    assert "did you mean `production`?" in said, said


def test_missing_data_of_our_own_is_told_as_such(world):
    s = world.prepare()
    moved = os.path.join(s.folder, "sallyportd")  # out of build/
    shutil.copy(world.program("sallyportd"), moved)
    harness.give(moved)
    done = harness.subprocess.run(
        [moved, "-t", "-c", s.config], capture_output=True, text=True,
        timeout=harness.PATIENCE, check=False, env=s.environment(), cwd="/",
        **harness.unprivileged())
    assert done.returncode == 0 or \
        "own data (classes, functions) is missing in /" in done.stderr, done
