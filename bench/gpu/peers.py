"""torch.fft on the same shapes as bench.cu --speed, kernel spectrum precomputed. JSON lines, the same keys.

rfft in float32 is the peer of every dtype: 16-bit inputs are converted inside the timed region, as a user would. Calls
on little data are timed 20 in a row, as there.
"""
import argparse
import json
import torch


def copy_gbps():
    a = torch.empty(1 << 28, dtype=torch.float32, device="cuda")
    b = torch.empty_like(a)
    best = 0.0
    for _ in range(20):
        best = max(best, 2 * a.numel() * 4 / timed(lambda: b.copy_(a), 1) * 1e-6)
    return best


def timed(work, repeats=11):
    """The median of some runs, in milliseconds by CUDA events, after two unmeasured ones."""
    times = []
    for i in range(repeats + 2):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        work()
        end.record()
        end.synchronize()
        if i >= 2:
            times.append(begin.elapsed_time(end))
    return sorted(times)[len(times) // 2]


def case(batch, channels, length, dtype, gated, mode):
    # In pieces of the batch, because torch's intermediates are several times the size of the input.
    u = torch.randn(batch, channels, length, device="cuda").to(dtype)
    gates = [torch.randn_like(u) for _ in range(2)] if gated else None
    size = length if mode == "circular" else 2 * length
    spectrum = torch.fft.rfft(torch.randn(channels, length, device="cuda"), n=size)
    calls = 20 if 2 * u.numel() * dtype.itemsize <= 16 << 20 else 1

    def once():
        v = u * gates[0] if gated else u
        y = torch.fft.irfft(torch.fft.rfft(v.float(), n=size) * spectrum, n=size)[..., :length].to(dtype)
        return y * gates[1] if gated else y

    def work():
        for _ in range(calls):
            once()

    torch.cuda.reset_peak_memory_stats()
    ms = timed(work) / calls
    return ms, torch.cuda.max_memory_allocated(), calls


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
    for length in [256, 1024, 4096, 8192, 16384, 32768]:
        for batch, channels in [(1, 768), (4, 768), (1, 16), (64, 16)]:
            for dtype in [f32, bf16]:
                yield batch, channels, length, dtype, False, "causal"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default="/dev/stdout")
    parser.add_argument("--commit", default="unknown")
    parser.add_argument("--dirty", default="0")
    parser.add_argument("--filter", default="", help="a part of causal/float32/B1/H768/L1024/")
    options = parser.parse_args()
    copy = copy_gbps()
    with open(options.out, "w") as out:
        for batch, channels, length, dtype, gated, mode in cases():
            name = f"{mode}/{str(dtype).split('.')[1]}/B{batch}/H{channels}/L{length}/"
            if options.filter not in name:
                continue
            ms, peak, calls = case(batch, channels, length, dtype, gated, mode)
            rows = batch * channels
            floor = rows * length * (4 if gated else 2) * dtype.itemsize / copy * 1e-6
            out.write(json.dumps({
                "commit": options.commit, "dirty": options.dirty == "1", "device": torch.cuda.get_device_name(),
                "peer": f"torch {torch.__version__} rfft", "copyGBps": round(copy, 1), "op": "forward", "mode": mode,
                "dtype": str(dtype).split(".")[1], "precision": "accurate", "batch": batch, "channels": channels,
                "length": length, "kernelLength": length, "gates": 2 if gated else 0, "medianMs": round(ms, 5),
                "scaledMs": round(ms * 49152 / rows, 5), "floorMs": round(floor, 5), "floorRatio": round(floor / ms, 4),
                "relL2": None, "peakBytes": peak, "calls": calls,
            }) + "\n")
            out.flush()
            torch.cuda.empty_cache()


main()
