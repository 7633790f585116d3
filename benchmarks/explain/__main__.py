"""Explanations: `python -m benchmarks.explain` runs the commands of this folder one after another.

Each part is a command of its own (`python -m benchmarks.explain.PART`), whose docstring says what is measured; it puts
its rows into results.json beside this file. Minutes of one core: network 5, and 10 more where its three models are not
trained yet; separation 3; live 2, which wants a quiet machine.
"""

from benchmarks.parts import run_parts

PARTS = {
    "network": "what layers see, and whether maps are true",
    "separation": "whether separation tells when training is done",
    "live": "milliseconds of a live explanation, and what others pay for it",
}
"""What each measures, by the name of its file."""

if __name__ == "__main__":
    run_parts("explain", __doc__, PARTS, PARTS)
