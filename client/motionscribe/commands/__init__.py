"""The subcommands of `motionscribe`, one module each: `add` describes it to argparse, `run` does it."""
