// Rows that reach past N when they are shifted: x^N = i, so the last samples come round as imaginary parts of the first
// eight, and so do the last outputs. The warps of the column n2 = 0 see to it, before and after the interval's tiles.
#pragma once
#include "tiles.cuh"

namespace ffc::mma {

template <class C, class Copies>
struct WrappedSamples : UniformTiles<C, Copies> {
  using Base = UniformTiles<C, Copies>;
  using typename Base::Interval;
  using Base::warp, Base::p, Base::staging, Base::lane, Base::R, Base::largest, Base::exponentBefore;
  using Base::Base;

  FFC_DEVICE bool takesWrapped() const { return Copies::wraps && (warp & ((1 << p.log2N2) - 1)) == 0; }
  FFC_DEVICE int batchOfWrapped(SetPosition at, int tile) const {
    return at.set * staging.rowsPerSet + (tile << staging.log2Sequences) + (warp >> p.log2N2);
  }
  FFC_DEVICE u32 wrapAt(int tile) const {
    return Base::resident + C::residentBytes + ((warp >> p.log2N2) * p.tilesPerSet + tile) * 16;
  }
  // Zeros where nothing comes round.
  FFC_DEVICE void orderWrapped(SetPosition from) const {
    if (lane >= p.tilesPerSet) return;
    const int b = batchOfWrapped(from, lane), count = b < p.batch ? Copies::wrapped(from.channel) : 0;
    copyAsyncPart16(wrapAt(lane), Copies::wrappedOf(p.u, b, from.channel), count > 0 ? 2 * count : 0);
    if (C::gated && p.pre.data)
      copyAsyncPart16(wrapAt(lane) + C::wrapPlane, Copies::wrappedOf(p.pre, b, from.channel), count > 0 ? 2 * count : 0);
  }
  // In the exchange buffer: imaginary parts of n3h = 0, n3l = 0 ... 7 of row k1.
  FFC_DEVICE u32 imaginaryAt(const Interval& at, int tile, int k1) const {
    return at.outer + tile * (R * exchangeBytes) + Base::blockPlane + k1 * 256 + (warp ^ (k1 & 7)) * 16;
  }
  // Two tiles at a time, a lane for each row k1; no products of matrices, see ofMatrix().
  template <bool exact>
  FFC_DEVICE void addWrapped(const Interval& at) {
    copyAsyncWaitAll();
    const float f = Base::ofMatrix(Base::matrixIn);
    const u32 factor = packHalf(f, f);
    warpSync();
#pragma unroll
    for (int first = 0; first < C::uniformTiles; first += 2) {
      const int tile = first + (lane >> 4);
      if (tile >= p.tilesPerSet) continue;
      const uint4 v = sharedLoad16(wrapAt(tile));
      const u32 place = imaginaryAt(at, tile, lane & 15);
      const uint4 before = sharedLoad16(place);
      u32 u[4] = {v.x, v.y, v.z, v.w}, sum[4] = {before.x, before.y, before.z, before.w};
      u32 scale = floatBits(1.0f);
      if constexpr (exact) scale = floatBits(powerOfTwo(staging.inputExponent(at.noteIn + tile * 64)));
      if constexpr (C::gated) {
        // What rounding the products to halves leaves is left out here: these are at most seven of N samples.
        u32 gate[4], rest[4];
        const uint4 g = sharedLoad16(wrapAt(tile) + C::wrapPlane);
        gate[0] = g.x, gate[1] = g.y, gate[2] = g.z, gate[3] = g.w;
        prepareGated<C>(u, rest, gate, p.pre.data != nullptr, scale);
      } else if constexpr (exact) {
        prepare<C>(u, scale);
      } else {
        prepareUnscaled<C>(u);
      }
      if constexpr (C::rowScaled && !exact && !C::watchesOutputs)
        largest = largestHalves(largest, largestHalves(largestHalves(u[0], u[1]), largestHalves(u[2], u[3])));
#pragma unroll
      for (int i = 0; i < 4; i++) sum[i] = halfFma(u[i], factor, sum[i]);
      sharedStore16(place, uint4{sum[0], sum[1], sum[2], sum[3]});
    }
  }
  // Eight lanes a tile: two for each pair of outputs, each of which adds up half of the rows k1, from different ones
  // on, because these have banks of their own.
  template <bool exact, bool scaled>
  FFC_DEVICE void storeWrapped(const Interval& at, SetPosition to) const {
    const int tile = lane >> 3, upper = lane >> 2 & 1, row = batchOfWrapped(to, tile), sample = 2 * Base::c + upper;
    const bool exists = tile < p.tilesPerSet && row < p.batch, stores = exists && sample < Copies::wrapped(to.channel);
    float f = Base::ofMatrix(Base::matrixOut);
    u32 gate = 0;
    if (C::gated && stores && p.post.data) gate = reinterpret_cast<const uint16_t*>(Copies::wrappedOf(p.post, row, to.channel))[sample];
    float2 sum = {0, 0};
    if (exists) {
#pragma unroll
      for (int i = 0; i < 8; i++) {
        const float2 v = unpackHalf(sharedLoad4(imaginaryAt(at, tile, 8 * upper + ((i + Base::g) & 7)) + Base::c * 4));
        sum.x += v.x, sum.y += v.y;
      }
      if constexpr (scaled) {
        int e = exponentBefore;
        if constexpr (exact) e -= staging.inputExponent(at.noteOut + tile * 64);
        f *= powerOfTwo(e);
      }
    }
    // Each lane the half of the sum that the other one has.
    const float other = asFloat(fromLane(floatBits(upper ? sum.x : sum.y), lane ^ 4)), y = (upper ? sum.y : sum.x) + other;
    if (C::gated && p.post.data) f *= unpackElements<C>(gate).x;
    if (stores)
      reinterpret_cast<uint16_t*>(Copies::wrappedOf(p.y, row, to.channel))[sample] =
          uint16_t(C::bf16 ? packBfloat(y * f, 0) : packHalf(y * f, 0));
    warpSync();  // first() is to replace what has been read
  }
  // For exact scales, which rows have in bfloat16 and with gates: as Staging::largestOfPiece, a sample a lane.
  FFC_DEVICE u32 largestWrapped(SetPosition from, int tile) const {
    if (!C::rowScaled || !takesWrapped() || lane >= Copies::wrapped(from.channel)) return 0;
    const int b = batchOfWrapped(from, tile);
    if (b >= p.batch) return 0;
    const auto sampleOf = [&](const Rows& rows) {
      return unpackElements<C>(reinterpret_cast<const uint16_t*>(Copies::wrappedOf(rows, b, from.channel))[lane]).x;
    };
    const float v = sampleOf(p.u) * (C::gated && p.pre.data ? sampleOf(p.pre) : 1.0f);
    return (floatBits(v) & 0x7fffffffu) >> 16;
  }

};

}  // namespace ffc::mma
