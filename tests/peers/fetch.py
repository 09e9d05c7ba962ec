"""What the suites need: a PostgreSQL server, psql, libpq and their sources,
all of one version, from Debian's archive into a cache.  Nothing of it is
installed or committed; what else is needed is installed from packages."""

import glob
import os
import shutil
import subprocess
import sys

COMMON = ["postgresql-15", "libpq-dev", "dpkg-dev", "gcc"]
PACKAGES = {
    "libpq-go": ["golang-go", "golang-github-lib-pq-dev"],
    "pgx": ["golang-go", "golang-github-jackc-pgx-v4-dev",
            "golang-github-jackc-pgmock-dev"],
}
# unpacked, not installed: the archive may have no source of what is installed
UNPACKED = ("postgresql-15", "postgresql-client-15",
            "postgresql-server-dev-15", "libpq5", "libpq-dev")
SOURCES_LIST = "".join(
    f"{kind} [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
    f"http://deb.debian.org/{place}\n"
    for kind in ("deb", "deb-src")
    for place in ("debian bookworm main",
                  "debian-security bookworm-security main"))


def say(text):
    print(f"peer-suites: {text}", flush=True)


def give_up(text):
    sys.exit(f"peer-suites: {text}")


def attempt(arguments, **more):
    return subprocess.run(arguments, check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **more)


def run(arguments, **more):
    """A command that must succeed; its output."""
    done = attempt(arguments, **more)
    if done.returncode != 0:
        give_up(f"{' '.join(arguments)} failed:\n{done.stdout}")
    return done.stdout


def is_installed(package):
    done = attempt(["dpkg-query", "-W", "-f", "${db:Status-Status}", package])
    return done.stdout == "installed"


def install(suites):
    """The packages these suites need."""
    if shutil.which("apt-get") is None:
        give_up("this needs Debian 12 and its apt-get")
    wanted = COMMON + [p for suite in suites for p in PACKAGES.get(suite, ())]
    missing = sorted({p for p in wanted if not is_installed(p)})
    if not missing:
        return
    if os.geteuid() != 0:
        give_up(f"these packages are missing: {' '.join(missing)}")
    say(f"installing {' '.join(missing)}")
    run(["apt-get", "update", "-qq"])
    run(["apt-get", "install", "-y", "-qq", "--no-install-recommends",
         "--no-upgrade", *missing],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


class Archive:
    """Debian's archive as apt sees it through a list of our own, so that the
    machine's sources stay as they are."""

    def __init__(self, cache):
        self.cache = cache
        self.options = ["-q", "-o", f"Dir::Etc::sourcelist={cache}/sources",
                        "-o", "Dir::Etc::sourceparts=/nonexistent",
                        "-o", f"Dir::State::lists={cache}/lists",
                        "-o", f"Dir::Cache={cache}",
                        "-o", "APT::Sandbox::User=root"]
        os.makedirs(f"{cache}/lists/partial", exist_ok=True)
        os.makedirs(f"{cache}/archives/partial", exist_ok=True)
        with open(f"{cache}/sources", "w", encoding="ascii") as f:
            f.write(SOURCES_LIST)
        run(["apt-get", *self.options, "update"])

    def versions(self):
        """Of the source package, newest first."""
        shown = run(["apt-cache", *self.options, "madison", "postgresql-15"])
        lines = [[part.strip() for part in line.split("|")]
                 for line in shown.splitlines()]
        return [line[1] for line in lines if line[2].endswith("Sources")]

    def fetch_source(self, version):
        """True when the archive has it: the mirror may lack what its own
        list names."""
        return attempt(["apt-get", *self.options, "source",
                        "--download-only", f"postgresql-15={version}"],
                       cwd=self.cache).returncode == 0

    def fetch_packages(self, version):
        for package in UNPACKED:
            run(["apt-get", *self.options, "download",
                 f"{package}={version}"], cwd=self.cache)
            archive = glob.glob(f"{self.cache}/{package}_{version}_*.deb")[0]
            run(["dpkg-deb", "-x", archive, f"{self.cache}/unpacked"])

    def unpack_source(self, version):
        upstream = version.partition("-")[0]
        tarball = glob.glob(
            f"{self.cache}/postgresql-15_{upstream}.orig.tar.*")[0]
        os.makedirs(f"{self.cache}/source")
        run(["tar", "-xf", tarball, "-C", f"{self.cache}/source",
             "--strip-components=1"])


def fill(cache):
    """The newest version of which there is everything; its name."""
    archive = Archive(cache)
    for version in archive.versions():
        say(f"downloading PostgreSQL {version}, programs and source")
        if archive.fetch_source(version):
            archive.fetch_packages(version)
            archive.unpack_source(version)
            return version
        say(f"the archive has no source of {version}")
    return give_up("Debian's archive has no source of PostgreSQL 15")


class Peer:
    """PostgreSQL of one version, programs and source, in the cache."""

    def __init__(self, cache):
        self.cache = cache
        self.folder = os.path.join(cache, "postgresql-15")
        self.mark = os.path.join(self.folder, "version")
        if not os.path.exists(self.mark):
            shutil.rmtree(self.folder, ignore_errors=True)
            os.makedirs(self.folder)
            version = fill(self.folder)
            with open(self.mark, "w", encoding="ascii") as f:
                f.write(version)
        with open(self.mark, encoding="ascii") as f:
            self.version = f.read()
        self.source = f"{self.folder}/source"
        usr = f"{self.folder}/unpacked/usr"
        self.binaries = f"{usr}/lib/postgresql/15/bin"
        self.server_libraries = f"{usr}/lib/postgresql/15/lib"
        self.programs = f"{self.server_libraries}/pgxs/src/test"
        self.include = f"{usr}/include/postgresql"
        self.libpq = os.path.dirname(glob.glob(f"{usr}/lib/*/libpq.so.5")[0])
