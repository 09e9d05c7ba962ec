#!/usr/bin/python3
"""A syslog socket for the demo: each record's JSON becomes a line of FILE.

usage: sink.py SOCKET FILE
"""

import os
import socket
import sys

PATH, FILE = sys.argv[1:]

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as source, \
        open(FILE, "ab", buffering=0) as output:
    source.bind(PATH)
    os.chmod(PATH, 0o666)
    while True:
        _, cookie, record = source.recv(1 << 20).partition(b"@cee:")
        if cookie:
            output.write(record.strip() + b"\n")
