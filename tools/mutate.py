#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Switches off every check of the verifier in turn, and demands that a named cheat then passes.

The files that decide a verdict are rewritten once: each check gets a number, and is skipped when
FLAIR_MUTANT names it (tools/mutate/switches.h). The rewritten files are compiled beside the
release build's and linked into its test programs. Then

  1. every test runs alone and says which checks refused something in it (or, of a statement that
     refuses nothing by itself, which were reached);
  2. for each check, the tests that it refused something in run again without it, until in one of
     them what must be refused is accepted. Where the verifier crashes instead, that counts too.

Kinds of checks: `refusal`, a condition under which an error is returned; `call`, a check that is
called for; `constraint`, what is required of values that are hidden (off at both ends: a prover
cannot state what the verifier has forgotten); `absorb`, a message that the transcript takes up;
`claim`, what is claimed of committed cells (at both ends); `draw`, a challenge, which is 1 when it
is off; `zero`, what a circuit requires, be it a form that is 0 or a number that is at least 0 and
that nobody reads (a lookup left out is no circuit: builder.cc refuses it, and is tried itself).

What is refused before a proof is read (a card, a statement, a program without a circuit) may be
refused all the same in other words: there it is enough that a test fails.

Checks that need no cheat stand with their reasons in tools/mutate/reasons.txt. Prints a table;
ends with 1 when a check is noticed by no test, or a reason fits no check.

usage: tools/mutate.py [--build DIR] [--list] [--only WORD] [--every N] [--junit FILE]
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import shlex
import subprocess
import sys
import time
import xml.sax.saxutils

ROOT = pathlib.Path(__file__).resolve().parent.parent
REASONS = ROOT / "tools/mutate/reasons.txt"
SWITCHES = ROOT / "tools/mutate/switches.h"

# What decides a verdict.
FILES = [
    "zk/transcript.cc",
    "zk/hash/merkle.cc",
    "zk/pcs/shape.cc",
    "zk/pcs/stated_matrix.cc",
    "zk/batch/batch_plan.cc",
    "zk/batch/binding.cc",
    "zk/batch/equations.cc",
    "zk/lookup/equations.cc",
    "zk/lookup/lookup_plan.cc",
    "zk/sumcheck/sum.cc",
    "zk/relation/layout.cc",
    "zk/relation/relations.cc",
    "zk/refresh/refresh_plan.cc",
    "zk/refresh/refresh_statement.cc",
    "zk/training/links.cc",
    "zk/training/long_lived.cc",
    "zk/training/number_claims.cc",
    "zk/training/opening_plan.cc",
    "zk/training/statement.cc",
    "zk/training/training_plan.cc",
    "zk/training/training_proof.cc",
    "zk/tail/tail_claims.cc",
    "zk/tail/tail_messages.cc",
    "zk/tail/tail_plan.cc",
    "zk/verifier/batch_verifier.cc",
    "zk/verifier/group_check.cc",
    "zk/verifier/lookup_verifier.cc",
    "zk/verifier/mask_check.cc",
    "zk/verifier/proof_check.cc",
    "zk/verifier/refresh_verifier.cc",
    "zk/verifier/tail_check.cc",
    "zk/verifier/training_verifier.cc",
    "zk/verifier/weights_verifier.cc",
    "zk/weights/weights_plan.cc",
    "zk/weights/weights_statement.cc",
    "proof/program_steps.cc",
    "proof/refresh_file.cc",
    "proof/run_proof.cc",
    "proof/statement_file.cc",
    "proof/verify_run.cc",
    "proof/weights_relation.cc",
    "data/card.cc",
    "circuit/builder.cc",
    "circuit/gadgets/bounded_sum.cc",
    "circuit/gadgets/maximum.cc",
    "circuit/gadgets/ratio.cc",
    "circuit/gadgets/root.cc",
    "circuit/gadgets/softmax.cc",
    "program/gauge.cc",
    "program/lower.cc",
    "program/lower/adam.cc",
    "program/lower/adam_factors.cc",
    "program/lower/arithmetic.cc",
    "program/lower/clipping.cc",
    "program/lower/losses.cc",
    "program/lower/normalisation.cc",
    "program/lower/optimiser.cc",
    "program/lower/sgd.cc",
    "program/lower/slack.cc",
    "program/lower/steps.cc",
    "program/lower/values.cc",
    "program/slack.cc",
]
# What is refused here was brought by whoever verifies.
BEFORE_A_PROOF = ("data/", "circuit/", "program/", "proof/statement_file.cc")
# The constraints of a prover's file are those of the verifier's, one by one.
TWINS = {
    "zk/prover/batch_prover.cc": "zk/verifier/batch_verifier.cc",
    "zk/prover/lookup_prover.cc": "zk/verifier/lookup_verifier.cc",
}
# The tests that try an attack, by program; a minus leaves out.
TESTS = {
    "zk_test": "BindingTest.*:SoundnessTest.*:LayoutTest.*:TranscriptTest.*:MerkleTest.*:ShapeTest.*:"
               "*ProofBytesTest.*:StatementBytesTest.*:"
               "-MerkleTest.EverySetOfLeavesOpens:MerkleTest.ManyThreads*",
    "zk_prover_test": "SumTest.*:ForgerTest.*:OpeningTest.*:LookupTest.*:MaskTest.*:BatchTest.*:RelationsTest.*:"
                      "TrainingTest.*:TailTest.*:RefreshTest.*:WeightsTest.*:CommittedMatrixTest.AShape*",
    "circuit_test": "CircuitTest.*:GadgetsTest.*:RatioTest.*",
    "program_test": "*Test.EveryChange*:*Test.ChangedCells*:LowerTest.*:SlackTest.*:GaugeTest.*:ClippingTest.*:NormalisationTest.*:"
                    "AdamFactorsTest.*:OptimiserTest.*",
    "data_test": "DataCardTest.*",
    "proof_test": "ProgramStepsTest.*:RunBytesTest.*:StatementFileTest.*",
    "proof_prover_test": "RunClaimTest.*:RecordedRunTest.*:WeightsRelationTest.*:RefreshFileTest.*:RefreshedCardsTest.*",
}
# How the tests spell that something was accepted.
ACCEPTED = re.compile(r'Which is: "(?:accepted|stated|ok|)"$|[Aa]ctual: "(?:accepted|stated|ok|)"| actual: "" vs ""'
                      r"|(?:Actual|Which is): true", re.MULTILINE)
# Error() of a result that is none: nothing was refused.
NO_ERROR = "std::get: wrong index for variant"
NOTICED = ("accepted", "crashed", "in other words", "reason")
TIMEOUT_S = 120
MEMORY_BYTES = 6 << 30

REFUSAL = re.compile(r"return\s+(?:Status\()?(?:Error|Rejected|(?:\w+\.)?Wrong\w*|Bad|Corrupt|Unsupported|wrong|in_chunk)\s*\("
                     r"|return \{[^{}]*\.fits = false\}")
PASSED_ON = re.compile(r"return\s+std::move\((\w+)\)\.error\(\)")


class Check(collections.namedtuple("Check", "number kind path line text")):
    @property
    def place(self):
        return f"src/{self.path}:{self.line}"


def without_text(source):
    """The source, with comments and strings blanked: every character keeps its place."""
    blank = lambda match: re.sub(r"[^\n]", " ", match.group())  # noqa: E731
    return re.sub(r'//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', blank, source)


def matching(code, opening):
    """Where the bracket at `opening` is closed."""
    depth = 0
    for at in range(opening, len(code)):
        depth += {"(": 1, ")": -1, "{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return at
    raise ValueError("unbalanced")


def condition_before(code, at):
    """(begin, end) of the condition of the `if` whose only or first statement begins at `at`."""
    head = code[:at].rstrip()
    if head.endswith("{"):
        head = head[:-1].rstrip()
    if not head.endswith(")"):
        return None
    depth = 0
    for opening in range(len(head) - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(head[opening], 0)
        if depth == 0:
            break
    if not re.search(r"\bif\s*$", head[:opening]):
        return None
    inner = code[opening + 1:len(head) - 1]
    return opening + 1 + inner.rfind(";") + 1, len(head) - 1


def is_result(code, begin, end):
    """A condition `!x.ok()` on a Result, whose value cannot be used without it."""
    match = re.fullmatch(r"\s*!(\w+)\.ok\(\)\s*", code[begin:end])
    return bool(match) and not re.search(rf"\bStatus {match[1]}\b", code[max(0, begin - 600):begin])


class Rewriter:
    def __init__(self):
        self.checks = []
        self.constraints = collections.defaultdict(list)  # numbers, by file

    def number(self, kind, path, source, at):
        line = source.count("\n", 0, at) + 1
        text = " ".join(source[at:source.index(";", at)].split())
        if text.startswith("return {"):  # says nothing of itself
            text = f"{source.splitlines()[line - 2].strip()} {text}"
        self.checks.append(Check(len(self.checks), kind, path, line, text))
        return self.checks[-1].number

    def rewrite(self, path, source):
        code = without_text(source)
        edits = []  # (begin, end, text): insertions around what stays

        def guard(kind, begin, end, at):
            number = self.number(kind, path, source, at)
            edits.append((begin, begin, f" flair::mutant::Refuses({number}, (bool)("))
            edits.append((end, end, "))"))

        refusals = [] if path in TWINS else [REFUSAL]
        for match in (m for pattern in refusals for m in pattern.finditer(code)):
            condition = condition_before(code, match.start())
            if condition and not is_result(code, *condition):
                guard("refusal", *condition, match.start())
            elif not condition and re.search(r"\bcontinue;\s*(?:[^;{}]*;\s*)?$", code[:match.start()]):
                number = self.number("refusal", path, source, match.start())
                edits.append((match.start(), match.start(), f"if (flair::mutant::Refuses({number}, true)) "))
        for match in () if path in TWINS else PASSED_ON.finditer(code):
            condition = condition_before(code, match.start())
            if condition and not is_result(code, *condition):
                guard("call", *condition, match.start())
        for match in () if path in TWINS else re.finditer(r"\bFLAIR_DO\(", code):
            # Most of a lowering's calls compute.
            if path.startswith("program/") and not code.startswith("Check", match.end()):
                continue
            end = matching(code, match.end() - 1)
            number = self.number("call", path, source, match.start())
            edits.append((match.end(), match.end(), f"flair::mutant::Passed({number}, "))
            edits.append((end, end, ")"))
        # What a reader remembers as the first thing that is wrong.
        for match in re.finditer(r"\bFail\(|\bwrong_ = ", code):
            if re.search(r"(void |void \w+::|if \(!wrong_\) |const char\* )$", code[:match.start()]):
                continue
            begin = match.start() - (len("return ") if code[:match.start()].endswith("return ") else 0)
            condition = condition_before(code, begin)
            if condition and not code[:begin].rstrip().endswith("{"):
                guard("refusal", *condition, begin)
            else:
                number = self.number("refusal", path, source, begin)
                edits.append((begin, begin, f"if (flair::mutant::Refuses({number}, true)) "))
        for match in re.finditer(r"(?:\b\w+\.)?\bRequireZero\(", code):
            if re.search(r"void $", code[:match.start()]):
                continue
            twin = TWINS.get(path)
            if twin:
                number = self.constraints[twin][len(self.constraints[path])]
            else:
                number = self.number("constraint", path, source, match.start())
            self.constraints[path].append(number)
            begin = match.start()
            condition = condition_before(code, begin)
            if condition and not code[:begin].rstrip().endswith("{"):
                edits.append((condition[0], condition[0], "("))
                edits.append((condition[1], condition[1], f") && flair::mutant::IsOn({number})"))
            else:
                edits.append((begin, begin, f"if (flair::mutant::IsOn({number})) "))
        # What a circuit requires and nobody reads: a zero, or that a number is 0 or more.
        for match in re.finditer(r"(?<=[;{})])(\s*)(?:\w+\.)?(?:AddZero|Divide|Exactly|Bound\w+)\(", code):
            if path.startswith(("circuit/", "program/")):
                begin = match.end(1)
                number = self.number("zero", path, source, begin)
                edits.append((begin, begin, f"if (flair::mutant::IsOn({number})) "))
        if path not in TWINS:
            for match in re.finditer(r"\bclaims_\.push_back\(|\bclaims\.push_back\((?!std::move)", code):
                number = self.number("claim", path, source, match.start())
                edits.append((match.start(), match.start(), f"if (flair::mutant::IsOn({number})) "))
            self.rewrite_transcript(path, source, code, edits)
        for begin, end, text in sorted(edits, key=lambda edit: edit[0], reverse=True):
            source = source[:begin] + text + source[end:]
        return source

    def rewrite_transcript(self, path, source, code, edits):
        if path == "zk/transcript.cc":
            return
        for match in re.finditer(r"\btranscript\.Absorb\((label|Label::k\w+),", code):
            labels = [match[1]]
            if match[1] == "label":  # each by itself, as a prover may forget each by itself
                if path == "zk/batch/binding.cc":
                    labels = ["kWitnessRoot", "kCommitment", "kCompanionRoot"]
                elif "masked.push_back" in code[match.start():match.start() + 200]:
                    labels = ["kSumcheckMessage", "kClaimValue", "kLookupMessage"]
            conditions = []
            for label in labels:
                number = self.number("absorb", path, source, match.start())
                if len(labels) > 1:
                    self.checks[-1] = self.checks[-1]._replace(text=f"{label}: {self.checks[-1].text}")
                    conditions.append(f"(label != Label::{label} || flair::mutant::IsOn({number}))")
                else:
                    conditions.append(f"flair::mutant::IsOn({number})")
            edits.append((match.start(), match.start(), f"if ({' && '.join(conditions)}) "))
        if not re.search(r"equations\.cc|binding\.cc", path):
            return
        for match in re.finditer(r"\btranscript\.Draw\(", code):
            end = matching(code, match.end() - 1) + 1
            number = self.number("draw", path, source, match.start())
            line = code[code.rfind("\n", 0, match.start()) + 1:match.start()].strip()
            self.checks[-1] = self.checks[-1]._replace(text=f"{line}{self.checks[-1].text}")
            edits.append((match.start(), match.start(), f"flair::mutant::Drawn({number}, "))
            edits.append((end, end, ")"))


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"mutate: {command if isinstance(command, str) else ' '.join(map(str, command))}\n"
                 f"{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def build(release, out):
    """Rewrites, compiles and links; returns the checks."""
    rewriter = Rewriter()
    for path in [*FILES, *TWINS]:
        text = rewriter.rewrite(path, (ROOT / "src" / path).read_text())
        target = out / "src" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text() != text:
            target.write_text(text)
    commands = {entry["file"]: entry["command"] for entry in
                json.loads(run(["ninja", "-C", release, "-t", "compdb"]))}
    objects = {}  # (object, the library that has the original)
    jobs = []
    for path in [*FILES, *TWINS]:
        command = shlex.split(commands[str(ROOT / "src" / path)])
        target = out / "obj" / (path.replace("/", "_") + ".o")
        target.parent.mkdir(exist_ok=True)
        drop = {"-Werror"}
        command = [word for word in command if word not in drop]
        library = re.search(r"/(\w+)\.dir/", command[command.index("-o") + 1])[1]
        for flag in ("-o", "-MF", "-MT"):
            if flag in command:
                command[command.index(flag) + 1] = str(target) + ("" if flag == "-o" else ".d")
        command[-1] = str(out / "src" / path)
        command[-2:-2] = ["-w", "-include", str(SWITCHES)]
        jobs.append(command)
        objects[path] = str(target), f"lib{library}.a"
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda command: run(command, cwd=release), jobs))
    for program in TESTS:
        binary = next(release.glob(f"src/**/{program}"))
        link = run(["ninja", "-C", release, "-t", "commands", "-s", binary.relative_to(release)])
        command = re.sub(r"^: && | && :\s*$", "", link.strip().splitlines()[-1])
        words = shlex.split(command)
        at = words.index("-o")
        words[at + 1] = str(out / program)
        # Before the libraries: these then have nothing left to add.
        libraries = {pathlib.Path(word).name for word in words}
        words[at:at] = [target for target, library in objects.values() if library in libraries]
        run(words, cwd=release)
    return rewriter.checks


def limits():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run_test(out, test, **environment):
    """(exit, seconds, output)"""
    program, name = test
    started = time.monotonic()
    try:
        done = subprocess.run([out / program, f"--gtest_filter={name}", "--gtest_brief=1"], text=True,
                              errors="replace", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, **environment}, timeout=TIMEOUT_S, preexec_fn=limits)
        return done.returncode, time.monotonic() - started, done.stdout
    except subprocess.TimeoutExpired:
        return -1, TIMEOUT_S, "timeout"


def tests_of(out):
    tests = []
    for program, wanted in TESTS.items():
        suite = ""
        for line in run([out / program, f"--gtest_filter={wanted}", "--gtest_list_tests"]).splitlines():
            if not line.startswith(" "):
                suite = line.split("#")[0].strip()
            elif not line.strip().startswith("DISABLED_"):
                tests.append((program, suite + line.split("#")[0].strip()))
    return tests


def read_reasons():
    """[kind, file, words of the check's text, reason]"""
    reasons = []
    for line in REASONS.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            reasons.append([field.strip() for field in line.split("|")])
    return reasons


def judge(out, check, tests):
    """(what happened, the test): accepted, crashed, or refused all the same."""
    best = ("refused all the same", "") if tests else ("nothing tries it", "")
    for test in tests:
        code, _, output = run_test(out, test, FLAIR_MUTANT=str(check.number))
        if code == 0:
            continue
        if ACCEPTED.search(output) or check.kind in ("refusal", "call") and NO_ERROR in output:
            return "accepted", test[1]
        if (code < 0 or code > 1) and check.kind in ("refusal", "call"):
            best = ("crashed", test[1])
        elif code == 1 and check.kind in ("refusal", "call") and check.path.startswith(BEFORE_A_PROOF):
            best = ("in other words", test[1])
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build/release"))
    parser.add_argument("--list", action="store_true", help="the checks and their numbers, nothing more")
    parser.add_argument("--only", default="", help="checks whose place or text has this, a regular expression")
    parser.add_argument("--every", type=int, default=1, help="every N-th check only")
    parser.add_argument("--junit", help="a file for the counts of ./dev test")
    options = parser.parse_args()
    out = ROOT / "build/mutate"
    out.mkdir(parents=True, exist_ok=True)

    started = time.monotonic()
    checks = build(pathlib.Path(options.build), out)
    print(f"{len(checks)} checks; built in {time.monotonic() - started:.0f} s", flush=True)
    chosen = [c for c in checks if re.search(options.only, f"{c.place} {c.text}")][::options.every]
    if options.list:
        for check in chosen:
            print(f"{check.number:4} {check.kind:10} {check.place:44} {check.text[:90]}")
        return 0

    tests = tests_of(out)
    seconds, seen_in = {}, collections.defaultdict(list)
    folder = out / "seen"
    folder.mkdir(exist_ok=True)

    def record(test):
        path = folder / test[1].replace("/", " ")  # of a parameter
        path.write_text("")  # where no check is reached
        code, took, output = run_test(out, test, FLAIR_MUTANT_SEEN=str(path))
        if code:
            sys.exit(f"mutate: {test[1]} fails with every check on\n{output[-2000:]}")
        return test, took, [int(n) for n in path.read_text().split()]

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for test, took, numbers in pool.map(record, tests):
            seconds[test] = took
            for number in numbers:
                seen_in[number].append(test)
    print(f"{len(tests)} tests; seen in {time.monotonic() - started:.0f} s", flush=True)

    reasons = read_reasons()
    used = set()

    def reason_of(check):
        for i, (kind, path, words, reason) in enumerate(reasons):
            if kind == check.kind and path == check.path and words in check.text:
                used.add(i)
                return reason
        return None

    def one(check):
        reason = reason_of(check)
        if reason:
            return check, "reason", reason
        candidates = sorted(seen_in[check.number], key=seconds.get)
        return check, *judge(out, check, candidates)

    rows = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for row in pool.map(one, chosen):
            rows.append(row)
            check, happened, test = row
            print(f"{check.number:4} {check.kind:10} {check.place:44} {happened:22} {test[:120]}", flush=True)
    missed = [row for row in rows if row[1] not in NOTICED]
    stale = [] if len(chosen) < len(checks) else [r for i, r in enumerate(reasons) if i not in used]
    for check, happened, _ in missed:
        print(f"NOT NOTICED: {check.place} ({check.kind}, {happened}): {check.text[:150]}")
    for reason in stale:
        print(f"A reason that fits no check: {' | '.join(reason)}")
    counts = collections.Counter(row[1] for row in rows)
    print(f"mutate: {len(rows)} of {len(checks)} checks off in turn: {counts['accepted']} then pass a cheat, "
          f"{counts['crashed']} crash, {counts['in other words']} are refused in other words, {counts['reason']} have a reason, {len(missed)} are not noticed; "
          f"{time.monotonic() - started:.0f} s")
    if options.junit:
        write_junit(options.junit, rows)
    return 1 if missed or stale else 0


def write_junit(path, rows):
    cases = []
    for check, happened, test in rows:
        name = xml.sax.saxutils.quoteattr(f"{check.place} {check.kind}")
        body = "" if happened in NOTICED else f'<failure message="{happened}"/>'
        cases.append(f'<testcase classname="mutate" name={name}>{body}</testcase>')
    pathlib.Path(path).write_text("<testsuite>" + "".join(cases) + "</testsuite>\n")


if __name__ == "__main__":
    sys.exit(main())
