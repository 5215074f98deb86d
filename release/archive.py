#!/usr/bin/env python3
"""Packs a release archive, with the same bytes for the same contents.

    archive.py PROGRAM ARCHIVE.tar.gz

The archive is what krew takes the program from, and a plug-in that Helm 3 and Helm 4 install. Helm wants plugin.yaml
at the root, no entry "./", and every folder before what is in it. Times are SOURCE_DATE_EPOCH, or 0.
"""

import gzip
import io
import os
import pathlib
import sys
import tarfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
FILES = ["CHANGELOG.md", "LICENSE", "README.md", "helm/program.sh", "helm4/plugin.yaml", "plugin.yaml"]
EXECUTABLE = {"helm/program.sh"}


def main() -> None:
    program, archive = map(pathlib.Path, sys.argv[1:])
    contents = {name: (REPOSITORY / name).read_bytes() for name in FILES}
    name = "bin/kubectl-routing_secrets" + (".exe" if program.suffix == ".exe" else "")
    contents[name] = program.read_bytes()
    time = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for entry in sorted({str(pathlib.PurePosixPath(path).parent) for path in contents} - {"."} | set(contents)):
            info = tarfile.TarInfo(entry)
            info.mtime = time
            content = contents.get(entry)
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
            else:
                info.mode = 0o755 if entry == name or entry in EXECUTABLE else 0o644
                info.size = len(content)
            tar.addfile(info, None if content is None else io.BytesIO(content))
    with open(archive, "wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=time) as packed:
        packed.write(buffer.getvalue())


if __name__ == "__main__":
    main()
