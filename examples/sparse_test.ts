// The example of frequency-sparse convolutions: predicted errors hold, and zeros save work.
import assert from "node:assert/strict";
import { openDevice } from "../mod.ts";
import { trials } from "./sparse.ts";

Deno.test("sparse example: predictions hold", async () => {
  using device = openDevice("cpu");
  const [dense, ...others] = await trials(device, 8192, 4);
  assert.equal(dense!.measuredError, 0);
  assert.equal(others.length, 8);
  for (const t of others) {
    // The prediction counts all 2N samples of the transform and an average over noises; the outputs are half of them.
    assert.ok(
      t.measuredError > 0.2 * t.predictedError && t.measuredError < 3 * t.predictedError + 1e-5,
      JSON.stringify(t),
    );
    assert.ok(t.zeros > 0 && t.zeros < 1 && t.timeMs > 0);
  }
  const [fine, , coarse, wide, narrow, half, quarter, tenth] = others;
  assert.ok(fine!.predictedError <= 0.01 && coarse!.predictedError <= 0.2 && coarse!.zeros > fine!.zeros);
  assert.ok(wide!.zeros >= 0.75 && narrow!.zeros >= 0.91 && narrow!.predictedError >= wide!.predictedError);
  assert.ok(half!.zeros >= 0.5 && quarter!.zeros >= 0.75 && tenth!.zeros >= 0.91);
  assert.ok(tenth!.skipped > half!.skipped && half!.skipped > 0);
});
