"""This library's CPU engine beside SciPy's oaconvolve, float32, in the same run.

The engine is measured by the program given with --engine (bench/cpu/fftw_compare); both print medians and bests.
Where SciPy is not importable the script says so and ends without an error.

    python3 bench/cpu/scipy_compare.py [--json FILE] [--rounds N] [--engine PROGRAM]
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

PROBLEMS = [(8, 64, 8192, 8192), (1, 1, 1 << 20, 96000)]


def measure_scipy(numpy, signal, rounds):
    random = numpy.random.default_rng(1)
    for batch, channels, length, taps in PROBLEMS:
        u = random.standard_normal((batch, channels, length), dtype=numpy.float32)
        k = random.standard_normal((1, channels, taps), dtype=numpy.float32)
        times = []
        for turn in range(rounds + 1):
            begin = time.perf_counter()
            y = signal.oaconvolve(u, k, axes=2)[..., :length]
            if turn:  # the first one warms up
                times.append((time.perf_counter() - begin) * 1e3)
        assert y.shape == u.shape and numpy.isfinite(y).all()
        yield {
            "name": "scipy oaconvolve",
            "batch": batch,
            "channels": channels,
            "length": length,
            "kernelLength": taps,
            "medianMs": round(statistics.median(times), 4),
            "bestMs": round(min(times), 4),
            "rounds": rounds,
        }


def measure_engine(program, rounds):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "engine.json")
        command = [program, "--ours", "--rounds", str(rounds), "--json", path]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with open(path, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--engine")
    options = parser.parse_args()
    try:
        import numpy
        import scipy
        from scipy import signal
    except ImportError as error:
        print(f"SciPy is not importable here ({error}; Debian: python3-scipy): nothing to compare.")
        return
    print(f"SciPy {scipy.__version__}, one thread, kernel transformed in every call")
    results = list(measure_scipy(numpy, signal, options.rounds))
    if options.engine:
        results += measure_engine(options.engine, options.rounds)
    for batch, channels, length, taps in PROBLEMS:
        print(f"B={batch} H={channels} L={length} K={taps}")
        for r in results:
            if (r["batch"], r["channels"], r["length"], r["kernelLength"]) == (batch, channels, length, taps):
                print(f"  {r['name']:<44} {r['medianMs']:10.3f} {r['bestMs']:10.3f}  (median, best ms)")
    if options.json:
        with open(options.json, "a", encoding="utf-8") as lines:
            for r in results:
                lines.write(json.dumps(r) + "\n")


if __name__ == "__main__":
    main()
