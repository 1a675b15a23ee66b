// The two precision classes as arithmetic policies. A Pair is two neighbouring real numbers of one lane (columns
// 2c and 2c+1 of an mma fragment); a Factor is a complex constant for each of the two.
//   HalfArithmetic   half accumulators and half products: 32 bits a pair, no conversions ("fast")
//   FloatArithmetic  float accumulators and products; only mma operands are rounded to half ("accurate")
#pragma once
#include "device.cuh"

namespace ffc::mma {

struct HalfArithmetic {
  using Pair = u32;
  struct Factor {
    u32 re, im;
  };
  // As in FloatArithmetic, by angles of at most a quarter turn, where the tangent is at most 1.
  struct Turn {
    u32 tangent, sine;
  };
  FFC_DEVICE static void turn(Pair& re, Pair& im, Turn by) {
    const u32 minus = halfNegate(by.tangent);
    re = halfFma(minus, im, re);
    im = halfFma(by.sine, re, im);
    re = halfFma(minus, im, re);
  }
  FFC_DEVICE static Turn opposite(Turn t) { return {halfNegate(t.tangent), halfNegate(t.sine)}; }
  // d[0], d[1]: rows g and g + 8.
  FFC_DEVICE static void dot(Pair (&d)[2], const u32 (&a)[4], u32 b0, u32 b1) { mmaHalf(d, a, b0, b1); }
  FFC_DEVICE static void dot2(Pair (&d)[2], const u32 (&a)[4], u32 b0, u32 b1, const u32 (&a2)[4], u32 c0, u32 c1) {
    mmaHalf(d, a, b0, b1);
    mmaHalfAdd(d, a2, c0, c1);
  }
  FFC_DEVICE static void dotAdd(Pair (&d)[2], const u32 (&a)[4], u32 b0, u32 b1) { mmaHalfAdd(d, a, b0, b1); }
  FFC_DEVICE static Pair add(Pair a, Pair b) { return halfAdd(a, b); }
  FFC_DEVICE static Pair sub(Pair a, Pair b) { return halfSub(a, b); }
  FFC_DEVICE static Pair twiceMinus(Pair a, Pair b) { return fma(a, 2, halfNegate(b)); }
  FFC_DEVICE static Pair minusTwice(Pair a, Pair b) { return fma(b, -2, a); }
  FFC_DEVICE static Pair times(Pair a, float f) { return halfMul(a, packHalf(f, f)); }
  FFC_DEVICE static Pair fma(Pair a, float f, Pair b) { return halfFma(a, packHalf(f, f), b); }
  FFC_DEVICE static u32 pack(Pair a) { return a; }
  FFC_DEVICE static Pair unpack(u32 a) { return a; }
  FFC_DEVICE static Factor factor(u32 re, u32 im) { return {re, im}; }
  FFC_DEVICE static void negate(Pair& re, Pair& im) { re = halfNegate(re), im = halfNegate(im); }
  FFC_DEVICE static void multiply(Pair& re, Pair& im, Factor f) {
    const u32 a = halfMul(im, f.im), b = halfMul(im, f.re);
    const u32 r = halfFma(re, f.re, halfNegate(a));
    im = halfFma(re, f.im, b);
    re = r;
  }
  // The same plus a sum.
  FFC_DEVICE static void multiplyAdd(Pair& re, Pair& im, Factor f, Pair sumRe, Pair sumIm) {
    const u32 a = halfFma(halfNegate(im), f.im, sumRe), b = halfFma(im, f.re, sumIm);
    im = halfFma(re, f.im, b);
    re = halfFma(re, f.re, a);
  }
  FFC_DEVICE static void multiplyConjugate(Pair& re, Pair& im, Factor f) {
    const u32 a = halfMul(im, f.im), b = halfMul(re, f.im);
    const u32 r = halfFma(re, f.re, a);
    im = halfFma(im, f.re, halfNegate(b));
    re = r;
  }
};

struct FloatArithmetic {
  using Pair = float2;
  struct Factor {
    float2 re, im;
  };
  // A complex number of modulus 1 as three shears, tan(angle / 2), sin(angle), tan(angle / 2): three multiply-adds where
  // the complex product takes four operations. Angles keep clear of half a turn, where the tangent grows.
  struct Turn {
    float2 tangent, sine;
  };
  FFC_DEVICE static void turn(Pair& re, Pair& im, Turn by) {
    re = {re.x - by.tangent.x * im.x, re.y - by.tangent.y * im.y};
    im = {im.x + by.sine.x * re.x, im.y + by.sine.y * re.y};
    re = {re.x - by.tangent.x * im.x, re.y - by.tangent.y * im.y};
  }
  FFC_DEVICE static Turn opposite(Turn t) { return {{-t.tangent.x, -t.tangent.y}, {-t.sine.x, -t.sine.y}}; }
  FFC_DEVICE static void dot(Pair (&d)[2], const u32 (&a)[4], u32 b0, u32 b1) {
    float sum[4] = {0, 0, 0, 0};
    mmaFloatAdd(sum, a, b0, b1);
    d[0] = {sum[0], sum[1]};
    d[1] = {sum[2], sum[3]};
  }
  FFC_DEVICE static void dot2(Pair (&d)[2], const u32 (&a)[4], u32 b0, u32 b1, const u32 (&a2)[4], u32 c0, u32 c1) {
    float sum[4] = {0, 0, 0, 0};
    mmaFloatAdd(sum, a, b0, b1);
    mmaFloatAdd(sum, a2, c0, c1);
    d[0] = {sum[0], sum[1]};
    d[1] = {sum[2], sum[3]};
  }
  FFC_DEVICE static void dotAdd(Pair (&d)[2], const u32 (&a)[4], u32 b0, u32 b1) {
    float sum[4] = {d[0].x, d[0].y, d[1].x, d[1].y};
    mmaFloatAdd(sum, a, b0, b1);
    d[0] = {sum[0], sum[1]};
    d[1] = {sum[2], sum[3]};
  }
  FFC_DEVICE static Pair add(Pair a, Pair b) { return {a.x + b.x, a.y + b.y}; }
  FFC_DEVICE static Pair sub(Pair a, Pair b) { return {a.x - b.x, a.y - b.y}; }
  // Of 2 * a - b the compiler makes two additions.
  FFC_DEVICE static Pair twiceMinus(Pair a, Pair b) { return {fmaf(2, a.x, -b.x), fmaf(2, a.y, -b.y)}; }
  FFC_DEVICE static Pair minusTwice(Pair a, Pair b) { return {fmaf(-2, b.x, a.x), fmaf(-2, b.y, a.y)}; }
  FFC_DEVICE static Pair times(Pair a, float f) { return {a.x * f, a.y * f}; }
  FFC_DEVICE static Pair fma(Pair a, float f, Pair b) { return {a.x * f + b.x, a.y * f + b.y}; }
  FFC_DEVICE static u32 pack(Pair a) { return packHalf(a.x, a.y); }
  FFC_DEVICE static Pair unpack(u32 a) { return unpackHalf(a); }
  FFC_DEVICE static Factor factor(u32 re, u32 im) { return {unpackHalf(re), unpackHalf(im)}; }
  FFC_DEVICE static void multiply(Pair& re, Pair& im, Factor f) {
    const Pair r = {re.x * f.re.x - im.x * f.im.x, re.y * f.re.y - im.y * f.im.y};
    im = {re.x * f.im.x + im.x * f.re.x, re.y * f.im.y + im.y * f.re.y};
    re = r;
  }
  FFC_DEVICE static void multiplyAdd(Pair& re, Pair& im, Factor f, Pair sumRe, Pair sumIm) {
    const Pair r = {sumRe.x + re.x * f.re.x - im.x * f.im.x, sumRe.y + re.y * f.re.y - im.y * f.im.y};
    im = {sumIm.x + re.x * f.im.x + im.x * f.re.x, sumIm.y + re.y * f.im.y + im.y * f.re.y};
    re = r;
  }
  FFC_DEVICE static void multiplyConjugate(Pair& re, Pair& im, Factor f) {
    const Pair r = {re.x * f.re.x + im.x * f.im.x, re.y * f.re.y + im.y * f.im.y};
    im = {im.x * f.re.x - re.x * f.im.x, im.y * f.re.y - re.y * f.im.y};
    re = r;
  }
};

// In place: x[k] <- sum_b x[b] w^b e^{-2 pi i b k / 4}. In floats a sum and a difference with a factor before them
// are six multiply-adds, a + w b and 2 a - (a + w b), so that radix 4 takes 24 operations and no third power of w, where
// three products and a butterfly take 28.
FFC_DEVICE void steppedButterfly(float2 (&re)[4], float2 (&im)[4], FloatArithmetic::Factor w) {
  using Pair = float2;
  const auto two = [](Pair& r0, Pair& i0, Pair& r1, Pair& i1, Pair fr, Pair fi) {
    const Pair r = {r0.x + fr.x * r1.x - fi.x * i1.x, r0.y + fr.y * r1.y - fi.y * i1.y};
    const Pair i = {i0.x + fr.x * i1.x + fi.x * r1.x, i0.y + fr.y * i1.y + fi.y * r1.y};
    r1 = FloatArithmetic::twiceMinus(r0, r);
    i1 = FloatArithmetic::twiceMinus(i0, i);
    r0 = r, i0 = i;
  };
  FloatArithmetic::Factor square = w;
  FloatArithmetic::multiply(square.re, square.im, w);
  two(re[0], im[0], re[2], im[2], square.re, square.im);
  two(re[1], im[1], re[3], im[3], square.re, square.im);
  two(re[0], im[0], re[1], im[1], w.re, w.im);
  // -i w
  two(re[2], im[2], re[3], im[3], w.im, {-w.re.x, -w.re.y});
  // Sums and differences are those of k = 0, 2 and 1, 3.
  const Pair r = re[1], i = im[1];
  re[1] = re[2], im[1] = im[2];
  re[2] = r, im[2] = i;
}

// In place: x[k] <- sum_b x[b] e^{-+ 2 pi i b k / R} (forward: minus). Unscaled.
template <class A, int R, bool inverse>
struct Butterfly {
  using Pair = typename A::Pair;
  FFC_DEVICE static void run(Pair (&re)[R], Pair (&im)[R]) {
    if constexpr (R == 2) {
      two(re[0], im[0], re[1], im[1]);
    } else if constexpr (R == 3) {
      const Pair sumRe = A::add(re[1], re[2]), sumIm = A::add(im[1], im[2]);
      const Pair difRe = A::sub(re[1], re[2]), difIm = A::sub(im[1], im[2]);
      const Pair midRe = A::fma(sumRe, -0.5f, re[0]), midIm = A::fma(sumIm, -0.5f, im[0]);
      re[0] = A::add(re[0], sumRe);
      im[0] = A::add(im[0], sumIm);
      constexpr float sine = 0.86602540378f;
      constexpr int first = inverse ? 2 : 1, second = 3 - first;  // mid - i sine dif is X[1] forward, X[2] inverse
      re[first] = A::fma(difIm, sine, midRe);
      im[first] = A::fma(difRe, -sine, midIm);
      re[second] = A::fma(difIm, -sine, midRe);
      im[second] = A::fma(difRe, sine, midIm);
    } else if constexpr (R == 4) {
      four(re[0], im[0], re[1], im[1], re[2], im[2], re[3], im[3]);
    } else if constexpr (R == 8) {
      four(re[0], im[0], re[2], im[2], re[4], im[4], re[6], im[6]);
      four(re[1], im[1], re[3], im[3], re[5], im[5], re[7], im[7]);
      turn(re[3], im[3]);
      {
        const Pair r = re[5];  // a quarter turn
        re[5] = inverse ? A::sub(A::unpack(0), im[5]) : im[5];
        im[5] = inverse ? r : A::sub(A::unpack(0), r);
      }
      turn(re[7], im[7]);
      {
        const Pair r = re[7];
        re[7] = inverse ? A::sub(A::unpack(0), im[7]) : im[7];
        im[7] = inverse ? r : A::sub(A::unpack(0), r);
      }
      // Now even outputs E[k] lie in slots 0 2 4 6, odd ones in 1 3 5 7: X[k], X[k+4] = E[k] +- O[k].
      Pair r[8], i[8];
#pragma unroll
      for (int k = 0; k < 4; k++) {
        r[k] = A::add(re[2 * k], re[2 * k + 1]);
        i[k] = A::add(im[2 * k], im[2 * k + 1]);
        r[k + 4] = A::sub(re[2 * k], re[2 * k + 1]);
        i[k + 4] = A::sub(im[2 * k], im[2 * k + 1]);
      }
#pragma unroll
      for (int k = 0; k < 8; k++) re[k] = r[k], im[k] = i[k];
    } else {
      static_assert(R == 1, "no butterfly of this radix");
    }
  }

 private:
  FFC_DEVICE static void two(Pair& r0, Pair& i0, Pair& r1, Pair& i1) {
    const Pair r = r0, i = i0;
    r0 = A::add(r, r1);
    i0 = A::add(i, i1);
    r1 = A::sub(r, r1);
    i1 = A::sub(i, i1);
  }
  FFC_DEVICE static void four(Pair& r0, Pair& i0, Pair& r1, Pair& i1, Pair& r2, Pair& i2, Pair& r3, Pair& i3) {
    const Pair ar = A::add(r0, r2), ai = A::add(i0, i2), br = A::sub(r0, r2), bi = A::sub(i0, i2);
    const Pair cr = A::add(r1, r3), ci = A::add(i1, i3), dr = A::sub(r1, r3), di = A::sub(i1, i3);
    r0 = A::add(ar, cr);
    i0 = A::add(ai, ci);
    r2 = A::sub(ar, cr);
    i2 = A::sub(ai, ci);
    const Pair plusRe = A::add(br, di), plusIm = A::sub(bi, dr), minusRe = A::sub(br, di), minusIm = A::add(bi, dr);
    r1 = inverse ? minusRe : plusRe;
    i1 = inverse ? minusIm : plusIm;
    r3 = inverse ? plusRe : minusRe;
    i3 = inverse ? plusIm : minusIm;
  }
  // An eighth of a turn: times (1 -+ i) / sqrt(2).
  FFC_DEVICE static void turn(Pair& re, Pair& im) {
    const Pair sum = A::times(A::add(re, im), 0.70710678119f), dif = A::times(A::sub(re, im), 0.70710678119f);
    re = inverse ? dif : sum;
    im = inverse ? sum : A::sub(A::unpack(0), dif);
  }
};

}  // namespace ffc::mma
