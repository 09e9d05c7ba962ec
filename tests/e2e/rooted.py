"""A Sallyport that root starts, with workers as another account.

All it reads is root's, as it would be in /etc; only `state` is the workers'.
"""

import contextlib
import os
import pwd
import shutil
import tempfile

import harness

RUN_AS = "nobody"


class Rooted(harness.Sallyport):
    is_roots = True

    def __init__(self, world, folder, **changes):
        changes.setdefault("settings", {}).setdefault("run_as", RUN_AS)
        super().__init__(world, folder, **changes)
        self.workers_account = pwd.getpwnam(self.settings["run_as"])
        self.take()

    def take(self):
        """Everything becomes root's, with the usual modes."""
        for folder, folders, files in os.walk(self.folder):
            for name in files:
                os.lchown(os.path.join(folder, name), 0, 0)
            for name in folders:
                os.chown(os.path.join(folder, name), 0, 0)
        os.chown(self.folder, 0, 0)
        self.chmod("policies.d", 0o755)
        account = self.workers_account
        os.chown(self.path("state"), account.pw_uid, account.pw_gid)
        self.share()

    def share(self):
        """What the workers' account has to read is its group's."""
        for name in ("identities.yaml", "policies.d/10-shop.yaml",
                     "sallyport.yaml"):
            os.chown(self.path(name), 0, self.workers_account.pw_gid)
            self.chmod(name, 0o640)

    def path(self, name):
        return os.path.join(self.folder, name)

    def chmod(self, name, mode):
        os.chmod(self.path(name), mode)

    def write_all(self):
        super().write_all()
        if hasattr(self, "workers_account"):
            self.share()


@contextlib.contextmanager
def rooted(world, **changes):
    """One that is configured and not running; ended and gone afterwards."""
    folder = tempfile.mkdtemp(prefix="sallyport-root-", dir="/tmp")
    os.chmod(folder, 0o755)
    above = os.path.dirname(world.programs)
    for name in ("build", "policies"):
        shutil.copytree(os.path.join(above, name),
                        os.path.join(folder, name))
    own = harness.World(world.pg, os.path.join(folder, "build"), folder)
    os.mkdir(os.path.join(folder, "s"))
    try:
        s = Rooted(own, os.path.join(folder, "s"), **changes)
        own.started.append(s)
        yield s
    except BaseException:
        if os.path.exists(s.log):
            print("--- log ---\n" + s.log_text()[-3000:])
        raise
    finally:
        complaints = own.close()
        shutil.rmtree(folder)
    assert not complaints, complaints
