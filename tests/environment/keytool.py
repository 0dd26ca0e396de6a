"""Java's keytool for many key stores in one process: a process for each would take longer to start."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_END = "-- end of key store --"
_PROGRAM = f"""
public class Lists {{
    public static void main(String[] arguments) throws Exception {{
        var paths = new java.io.BufferedReader(new java.io.InputStreamReader(System.in));
        for (String path; (path = paths.readLine()) != null; ) {{
            sun.security.tools.keytool.Main.main(new String[] {{
                "-list", "-v", "-storetype", "PKCS12", "-storepass", "changeit", "-keystore", path}});
            System.out.println("{_END}");
        }}
    }}
}}
"""
_QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_ACCESS = ("--add-exports", "java.base/sun.security.tools.keytool=ALL-UNNAMED")


@contextmanager
def listing() -> Iterator[Callable[[Path], str]]:
    """Yield a function that returns what ``keytool -list -v`` prints about a PKCS#12 file.

    keytool ends the process at the first file that it cannot read: then the function raises AssertionError.
    """
    with TemporaryDirectory() as folder:
        program = Path(folder) / "Lists.java"
        program.write_text(_PROGRAM, "utf-8")
        command = ["java", *_QUICK_START, *_ACCESS, str(program)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
            requests, results = process.stdin, process.stdout
            assert requests is not None
            assert results is not None

            def lists(path: Path) -> str:
                print(path, file=requests, flush=True)
                lines = []
                while (line := results.readline()) != f"{_END}\n":
                    lines.append(line)
                    assert line, "".join(lines)
                return "".join(lines)

            yield lists
