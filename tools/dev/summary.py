#!/usr/bin/env python3
"""Adds up what the test stages left in a folder, and closes with a line of what tests counted and one of tests."""
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

# What tests record of themselves, by test and name of the property, and how it is called here.
COUNTED = [
    (r"^CellChangesTest\.", "changes", "changed cells"),
    (r"test_\w+\.", "judged", "changed proofs for two verifiers"),
    (r"^CompletenessTest\.", "programs", "random programs"),
    (r"^LookupTest\.", "rejected", "changed lookups"),
    (r"^TailTest\.", "changes", "changed tails"),
    (r"ProofsWithAndWithoutTailTest\.|^ZeroKnowledge", "elements", "elements compared or searched"),
    (r"", "faults", "faults of the store"),
]


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


def recorded(path):
    """(test, property, number) of all that a test recorded."""
    if path.suffix == ".json":
        for suite in json.loads(path.read_text())["testsuites"]:
            for case in suite["testsuite"]:
                for name, value in case.items():
                    if re.fullmatch(r"\d+", str(value)):
                        yield f"{suite['name']}.{case['name']}", name, int(value)
    else:
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            for said in case.iter("property"):
                if said.get("value").isdigit():
                    yield f"{case.get('classname')}.{case.get('name')}", said.get("name"), int(said.get("value"))


def counted(paths):
    """'1,296 changed cells, ...' of a test that ran in several builds the most."""
    numbers = {}
    for path in paths:
        for test, name, number in recorded(path):
            for tests, property_name, words in COUNTED:
                if name == property_name and re.search(tests, test):
                    numbers[words, test] = max(number, numbers.get((words, test), 0))
                    break
    sums = {words: sum(number for (of, _), number in numbers.items() if of == words) for _, _, words in COUNTED}
    return ", ".join(f"{total:,} {words}" for words, total in sums.items() if total)


def main():
    results, failed_stages = pathlib.Path(sys.argv[1]), sys.argv[2:]
    passed, failed, skipped, read = 0, 0, [], []
    for path in sorted(results.rglob("*")):
        reader = {".json": googletest, ".xml": junit}.get(path.suffix)
        if reader is None:
            continue
        p, f, s = reader(path)
        read.append(path)
        print(f"{path.relative_to(results).with_suffix('')!s:32} {p:5} passed {f:3} failed {len(s):3} skipped")
        passed, failed, skipped = passed + p, failed + f, skipped + s
    for name in skipped:
        print(f"skipped: {name}")
    for stage in failed_stages:
        print(f"failed stage: {stage}")
    if counts := counted(read):
        print(f"counted: {counts}")
    # A stage can fail without a failed test: a build error, a lost process.
    failed = max(failed, len(failed_stages))
    print(f"{passed} passed, {failed} failed, {len(skipped)} skipped")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
