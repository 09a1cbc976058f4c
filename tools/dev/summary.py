#!/usr/bin/env python3
"""Adds up what the test stages left in a folder, and closes with one line of counts."""
import json
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def googletest(path):
    report = json.loads(path.read_text())
    skipped = [f"{suite['name']}.{case['name']}"
               for suite in report["testsuites"] for case in suite["testsuite"]
               if case.get("result") == "SKIPPED" or case.get("status") == "NOTRUN"]
    failed = report["failures"] + report["errors"]
    return report["tests"] - failed - len(skipped), failed, skipped


def junit(path):
    passed, failed, skipped = 0, 0, []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
        elif "skipped" in kinds:
            reason = case.find("skipped").get("message", "no reason given")
            skipped.append(f"{case.get('classname')}.{case.get('name')}: {reason}")
        else:
            passed += 1
    return passed, failed, skipped


def main():
    results, failed_stages = pathlib.Path(sys.argv[1]), sys.argv[2:]
    passed, failed, skipped = 0, 0, []
    for path in sorted(results.rglob("*")):
        reader = {".json": googletest, ".xml": junit}.get(path.suffix)
        if reader is None:
            continue
        p, f, s = reader(path)
        print(f"{path.relative_to(results).with_suffix('')!s:32} {p:5} passed {f:3} failed {len(s):3} skipped")
        passed, failed, skipped = passed + p, failed + f, skipped + s
    for name in skipped:
        print(f"skipped: {name}")
    for stage in failed_stages:
        print(f"failed stage: {stage}")
    # A stage can fail without a failed test: a build error, a lost process.
    failed = max(failed, len(failed_stages))
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
