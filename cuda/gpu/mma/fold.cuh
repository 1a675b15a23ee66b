// The factors of x^(K M) - i modulo x^M - zeta: K samples M apart become one complex sample of each factor, and back.
// Factor k0 gets x'[m] = sum over n0 of e^{-2 pi i n0 (k0 - 1/4) / K} x[n0 M + m]: halves are combined with one turn
// each, log2(K) times. Slot s holds factor k0 = s with its bits reversed.
#pragma once
#include "arithmetic.cuh"
#include "params.h"

namespace ffc::mma {

// cos(k pi / 16)
constexpr float cosineOf(int k) {
  constexpr float table[9] = {1.0f,           0.98078528040f, 0.92387953251f, 0.83146961230f, 0.70710678119f,
                              0.55557023302f, 0.38268343236f, 0.19509032202f, 0.0f};
  const int r = (k < 0 ? -k : k) % 32, q = r > 16 ? 32 - r : r;
  return q > 8 ? -table[16 - q] : table[q];
}
constexpr float sineOf(int k) { return cosineOf(k - 8); }

FFC_MMA_SHARED constexpr int reversed(int slot, int size) {
  int result = 0;
  for (int bit = 1; bit < size; bit *= 2) result = 2 * result + (slot & bit ? 1 : 0);
  return result;
}

// `turn`: x = x0 + w x1 or x0 - w x1 with w = e^{i pi turn / 16}; the halves go on with turns of half of it, and of half of
// it less half a circle.
template <class A, int size, int turn = 4, bool real = true>
struct Fold {
  using Pair = typename A::Pair;
  static constexpr int half = size / 2;
  static constexpr float c = cosineOf(turn), s = sineOf(turn);
  using Plus = Fold<A, half, turn / 2, false>;
  using Minus = Fold<A, half, (turn - 16) / 2, false>;

  // re holds the samples if they are real.
  FFC_DEVICE static void forward(Pair* re, Pair* im) {
#pragma unroll
    for (int n = 0; n < half; n++) {
      const Pair xr = re[n], yr = re[n + half];
      re[n] = A::fma(yr, c, xr);
      re[n + half] = A::fma(yr, -c, xr);
      if constexpr (real) {
        im[n] = A::times(yr, s);
        im[n + half] = A::times(yr, -s);
      } else {
        const Pair xi = im[n], yi = im[n + half];
        re[n] = A::fma(yi, -s, re[n]);
        re[n + half] = A::fma(yi, s, re[n + half]);
        im[n] = A::fma(yi, c, A::fma(yr, s, xi));
        im[n + half] = A::fma(yi, -c, A::fma(yr, -s, xi));
      }
    }
    if constexpr (half > 1) {
      Plus::forward(re, im);
      Minus::forward(re + half, im + half);
    }
  }

  // The conjugate transpose; for real samples its real part.
  FFC_DEVICE static void backward(Pair* re, Pair* im) {
    if constexpr (half > 1) {
      Plus::backward(re, im);
      Minus::backward(re + half, im + half);
    }
#pragma unroll
    for (int n = 0; n < half; n++) {
      const Pair difRe = A::sub(re[n], re[n + half]), difIm = A::sub(im[n], im[n + half]);
      re[n] = A::add(re[n], re[n + half]);
      re[n + half] = A::fma(difIm, s, A::times(difRe, c));
      if constexpr (!real) {
        im[n] = A::add(im[n], im[n + half]);
        im[n + half] = A::fma(difRe, -s, A::times(difIm, c));
      }
    }
  }
};

}  // namespace ffc::mma
