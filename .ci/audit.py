"""List known vulnerabilities of the pinned packages: python3 .ci/audit.py PIP_AUDIT

Checks the versions of constraints.txt, and installs none of them. Exits with 0 if no vulnerability is known, with 1 if
there are some, and with 2 if no index of vulnerabilities answers or a package is missing in it.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"
# Indexes of vulnerabilities in the order in which they are tried: that of the package index, and OSV.
INDEXES = ("pypi", "osv")
NONE, SOME, UNKNOWN = 0, 1, 2


def main(pip_audit):
    pins = [line for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    for index in INDEXES:
        # One package first: an index that does not know it is not asked for all others.
        probed = audit(pip_audit, index, pins[:1])
        if probed is not None and "skip_reason" not in probed[0]:
            return report(audit(pip_audit, index, pins) or [])
        print(f"{index}: no answer for {pins[0]}")
    print("No index of vulnerabilities can be reached from here; nothing was checked. Run `make audit` where one can.")
    return UNKNOWN


def audit(pip_audit, index, pins):
    """Give pip-audit's list of packages with their vulnerabilities; None if it has failed."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pins))
        file.flush()
        options = ("--vulnerability-service", index, "--timeout", "15", "--progress-spinner", "off", "--format", "json")
        command = (pip_audit, *options, "--no-deps", "--disable-pip", "--requirement", file.name)
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        return json.loads(ended.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None


def report(packages):
    """Print what was found, and give the exit code."""
    skipped = [one["name"] for one in packages if "skip_reason" in one]
    found = [(one, vulnerability) for one in packages for vulnerability in one.get("vulns", ())]
    for one, vulnerability in found:
        fixed = ", ".join(vulnerability["fix_versions"]) or "no version"
        print(f"{one['name']}=={one['version']}: {vulnerability['id']}, fixed in {fixed}")
    if skipped:
        print(f"Not in the index, and not checked: {', '.join(skipped)}.")
    print(f"{len(packages) - len(skipped)} packages checked, {len(found)} known vulnerabilities.")
    return SOME if found else UNKNOWN if skipped or not packages else NONE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
