"""The demo, told once from beginning to end: it fails itself when one of its claims does not hold."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def test_the_story_holds():
    done = subprocess.run([sys.executable, ROOT / "examples/demo/demo.py", "--once"], text=True, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no image left its site" in done.stdout
