"""torch.fft on the same shapes as bench.cu --speed, kernel spectrum precomputed. JSON lines, the same keys.

rfft in float32 is the peer of every dtype: 16-bit inputs are converted inside the timed region, as a user would. Calls
on little data are timed 20 in a row, as there, and replayed from a graph, because a Python program needs longer to
enqueue one of torch's five to nine launches than they take: `medianMs` is what the device needs, `enqueuedMs` what a
loop without a graph takes.
"""
import argparse
import json
import time

import torch


def copy_gbps():
    a = torch.empty(1 << 28, dtype=torch.float32, device="cuda")
    b = torch.empty_like(a)
    best = 0.0
    for _ in range(20):
        best = max(best, 2 * a.numel() * 4 / timed(lambda: b.copy_(a), 1) * 1e-6)
    return best


def timed(work, repeats=11):
    """The median of some runs, in milliseconds by CUDA events, after two unmeasured ones.

    The device waits a tenth of a millisecond before the first event, so that the launches behind it are at hand."""
    times = []
    for i in range(repeats + 2):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        torch.cuda._sleep(200_000)
        begin.record()
        work()
        end.record()
        end.synchronize()
        if i >= 2:
            times.append(begin.elapsed_time(end))
    return sorted(times)[len(times) // 2]


def graph_of(work):
    """What replays the launches of work() without the host's share of them."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):  # plans and workspaces of the FFT come before the capture
        for _ in range(2):
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def convolved(u, spectrum, size, gates=None):
    """In the precision of the spectrum, rounded to the type of u at the end."""
    v = u * gates[0] if gates else u
    real = torch.float64 if spectrum.dtype == torch.complex128 else torch.float32
    y = torch.fft.irfft(torch.fft.rfft(v.to(real), n=size) * spectrum, n=size)[..., : u.shape[-1]]
    y = y if real == torch.float64 else y.to(u.dtype)
    return y * gates[1] if gates else y


def relative_error(y, u, kernel, size, gates):
    """Of up to 24 rows against float64, the inputs as rounded."""
    rows = slice(0, 24)
    exact = [g[:1, rows].double() for g in gates] if gates else None
    want = convolved(u[:1, rows].double(), torch.fft.rfft(kernel[rows].double(), n=size), size, exact)
    error = y[:1, rows].double() - want
    return (error.square().sum() / want.square().sum()).sqrt().item()


def case(batch, channels, length, dtype, gated, mode):
    u = torch.randn(batch, channels, length, device="cuda").to(dtype)
    gates = [torch.randn_like(u) for _ in range(2)] if gated else None
    size = length if mode == "circular" else 2 * length
    kernel = torch.randn(channels, length, device="cuda")
    spectrum = torch.fft.rfft(kernel, n=size)
    calls = 20 if 2 * u.numel() * dtype.itemsize <= 16 << 20 else 1

    def work():
        for _ in range(calls):
            convolved(u, spectrum, size, gates)

    error = relative_error(convolved(u, spectrum, size, gates), u, kernel, size, gates)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    enqueued = timed(work) / calls
    peak = torch.cuda.max_memory_allocated()
    ms = timed(graph_of(work)) / calls if calls > 1 else enqueued
    return {"ms": ms, "enqueued": enqueued, "peak": peak, "calls": calls, "error": error}


def cases():
    """Batch, channels, length, dtype, gated, mode."""
    f32, bf16 = torch.float32, torch.bfloat16
    for length in [2**p for p in range(8, 16)] + [1100, 1500, 3000, 5000, 6000, 10000, 12000, 20000, 24000]:
        batch = 64 if length <= 8192 else 32 if length <= 16384 else 16
        for dtype, gated in [(f32, False), (f32, True), (bf16, False)]:
            yield batch, 768, length, dtype, gated, "causal"
    for length in [2**p for p in range(8, 16)]:
        batch = 64 if length <= 8192 else 32 if length <= 16384 else 16
        for dtype in [f32, bf16]:
            yield batch, 768, length, dtype, False, "circular"
    # Small batches; the same as in bench.cu.
    for length in [2**p for p in range(8, 16)]:
        for batch, channels in [(1, 768), (4, 768), (1, 16), (4, 16), (64, 16)]:
            for dtype in [f32, torch.float16, bf16]:
                yield batch, channels, length, dtype, False, "causal"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default="/dev/stdout")
    parser.add_argument("--commit", default="unknown")
    parser.add_argument("--dirty", default="0")
    parser.add_argument("--filter", default="", help="parts of causal/float32/B1/H768/L1024/, with commas between them")
    options = parser.parse_args()
    began = time.monotonic()
    copy = copy_gbps()
    with open(options.out, "w") as out:
        for batch, channels, length, dtype, gated, mode in cases():
            name = f"{mode}/{str(dtype).split('.')[1]}/B{batch}/H{channels}/L{length}/"
            if not any(part in name for part in options.filter.split(",")):
                continue
            result = case(batch, channels, length, dtype, gated, mode)
            ms = result["ms"]
            rows = batch * channels
            floor = rows * length * (4 if gated else 2) * dtype.itemsize / copy * 1e-6
            out.write(json.dumps({
                "commit": options.commit, "dirty": options.dirty == "1", "device": torch.cuda.get_device_name(),
                "peer": f"torch {torch.__version__} rfft", "copyGBps": round(copy, 1), "op": "forward", "mode": mode,
                "dtype": str(dtype).split(".")[1], "precision": "accurate", "batch": batch, "channels": channels,
                "length": length, "kernelLength": length, "gates": 2 if gated else 0, "medianMs": round(ms, 5),
                "scaledMs": round(ms * 49152 / rows, 5), "floorMs": round(floor, 5), "floorRatio": round(floor / ms, 4),
                "relL2": float(f"{result['error']:.3e}"), "peakBytes": result["peak"], "calls": result["calls"],
                "enqueuedMs": round(result["enqueued"], 5),
            }) + "\n")
            out.flush()
            if 2 * rows * length * dtype.itemsize > 1 << 30:  # elsewhere the next case finds its memory in the cache
                torch.cuda.empty_cache()
    print(f"{time.monotonic() - began:.1f} s")


main()
