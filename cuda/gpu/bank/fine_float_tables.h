// The tables of a fine filter bank of floats (fine_float.cuh).
#pragma once
#include "fine_entries.h"
#include "fine_float.cuh"

namespace ffc::gpu {

struct FloatFineWords : FineEntries {
  std::vector<FineSlot> slots;
  std::vector<FineFrequency> frequencies;
  std::vector<float2> turnsThere, turnsBack;

  explicit FloatFineWords(const FilterBank& bank) : FineEntries(bank, 1), turnsThere(floatFineThreads), turnsBack(floatFineThreads) {
    const auto place = [](int k) { return placeOfPoint(0, k % fineK0, k / fineK0); };
    // What is left of a transform's factors: d_2k = Re (turn Y_k), d_(1023 - 2k) = -Im (turn Y_k).
    const auto turn = [](int k) { return floatsOf(turnOf((k + 0.25) / (4 * fineRate))); };
    std::vector<int> ofPart[2] = {std::vector<int>(fineRate, bank.slots()), std::vector<int>(fineRate, bank.slots())};
    for (int slot = 0; slot < bank.slots(); slot++) {
      const int k = frequencyOf(bank, slot), imaginary = isImaginary(bank, slot);
      ofPart[imaginary][k] = slot;
      slots.push_back({place(k), imaginary ? -turn(k).y : turn(k).x, imaginary ? -turn(k).x : -turn(k).y, 0});
    }
    for (int k = 0; k < fineRate; k++)
      if (ofPart[0][k] < bank.slots() || ofPart[1][k] < bank.slots())
        frequencies.push_back({place(k), static_cast<uint16_t>(ofPart[0][k]), static_cast<uint16_t>(ofPart[1][k]), turn(k).x, -turn(k).y});
    for (int size = 2; size <= fineT0; size *= 2)
      for (int j = 0; j < (size + 3) / 4; j++) {
        const int at = placeOfTurn(size, j);
        for (int k0 = 0; k0 < fineK0; k0++) turnsThere[at * fineK0 + k0] = floatsOf(turnOf((j + (k0 + 0.25) / fineK0) / size));
        for (int t0 = 0; t0 < fineT0 && size <= fineK0; t0++) turnsBack[at * fineT0 + t0] = floatsOf(std::conj(turnOf((j + double(t0) / fineT0) / size)));
      }
  }

 private:
  static float2 floatsOf(std::complex<double> v) { return {static_cast<float>(v.real()), static_cast<float>(v.imag())}; }
};

}  // namespace ffc::gpu
