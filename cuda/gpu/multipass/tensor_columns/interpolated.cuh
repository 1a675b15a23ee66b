// From the ring's numbers to samples where it has fewer of them: tiles of the last pass overlap by the neighbours that its outputs need.
#pragma once
#include "resampled.cuh"
#include "skip_term.cuh"

namespace ffc::mma {

template <class C>
struct InterpolatedOutputs : ResampledColumns<C> {
  using Base = ResampledColumns<C>;
  using typename Base::Tile;
  using Base::p, Base::lane, Base::ownPasses, Base::log2Pieces, Base::ka, Base::points, Base::place, Base::rowOf, Base::tileOf;
  using Base::warp, Base::samples, Base::g, Base::c, Base::filterStep, Base::negated;
  using Base::Base;

  // Groups begin ownPieces after one another, so that each has its neighbours in its last piece. The ring's last numbers have the
  // first ones of the next row as neighbours: piece N2 / 8, which is piece 0 moved by a row (turnNeighbours).
  FFC_DEVICE Tile overlappedTileAt(int t) const {
    const int sequence = t / p.outTiles;
    return tileOf(sequence, t - sequence * p.outTiles);
  }
  FFC_DEVICE int rowPieces() const { return 512 << p.log2Q; }  // N2 / 8
  FFC_DEVICE int firstPieceOf(const Tile& t, int group) const { return ((t.index << (4 - p.log2Inner)) + group) * C::ownPieces; }
  // body(shared address, address in scratch, is there such a piece) for each.
  template <class Body>
  FFC_DEVICE void forOverlappedPoints(const Tile& t, Body&& body) const {
    const u32 plane = 8192u << p.log2Q;
    const int inside = (1 << p.log2Inner) - 1, piece = lane & (C::pieces - 1);
    char* const sequence = p.scratch + t.sequence * p.sequenceBytes;
#pragma unroll
    for (int i = 0; i < ownPasses; i++) {
      const int row = (lane >> log2Pieces) + i * (32 >> log2Pieces);
      const int number = firstPieceOf(t, row >> p.log2Inner) + piece;
      const bool there = number <= rowPieces();
      const int inRow = number < rowPieces() ? number : 0, group = inRow >> 3;
      const u32 within = group * 128 + ((inRow & 7) ^ pieceTurn(group, p.log2Q)) * 16;
      char* const at = sequence + (u32(ka + 16 * (row & inside)) * (2 * plane) + within);
      const u32 shared = points + ka * C::fragmentBytes + place(row, piece, ka);
      body(shared, at, there);
      body(shared + C::planeBytes, at + plane, there);
    }
  }
  // Moved by a row: times e^{2 pi i (k1 - quarters / 4) / N1}. Of the last row they become what follows the ring: its imaginary
  // part, or its beginning.
  FFC_DEVICE void turnNeighbours(const Tile& t) const {
    const int piece = rowPieces() - firstPieceOf(t, (lane & 15) >> p.log2Inner), inside = (1 << p.log2Inner) - 1;
    if (lane < 16 && piece >= 0 && piece < C::pieces) {
      const u32 at = points + ka * C::fragmentBytes + place(lane, piece, ka);
      const float2 w = rootOfUnity(4 * (ka + 16 * (lane & inside)) - p.quarters, 6 + p.log2Inner);  // e^{-2 pi i m / 2^bits}
      uint4 re = sharedLoad16(at), im = sharedLoad16(at + C::planeBytes);
      u32 x[4] = {re.x, re.y, re.z, re.w}, y[4] = {im.x, im.y, im.z, im.w};
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const float2 a = unpackHalf(x[i]), b = unpackHalf(y[i]);
        x[i] = packHalf(a.x * w.x + b.x * w.y, a.y * w.x + b.y * w.y);
        y[i] = packHalf(b.x * w.x - a.x * w.y, b.y * w.x - a.y * w.y);
      }
      sharedStore16(at, uint4{x[0], x[1], x[2], x[3]});
      sharedStore16(at + C::planeBytes, uint4{y[0], y[1], y[2], y[3]});
    }
    warpSync();
  }
  // What is read beside this warp's outputs: runs of them, which may begin amid a line.
  template <class Skip>
  FFC_DEVICE void fetchBeside(const Tile& t, const Skip& skip) const {
    constexpr int run = 8 * C::rate * C::ownPieces;
    const int m = warp & ((1 << p.log2Inner) - 1), rowSamples = 8 * C::rate * rowPieces();
    const int from = rowSamples * ((lane & 15) << p.log2Inner | m) + 8 * C::rate * firstPieceOf(t, warp >> p.log2Inner);
    for (int i = 64 * (lane >> 4); i < run + 63; i += 128) skip.fetch(from + (i < run ? i : run - 1));
  }
  // The real part of this warp's rows lies in the samples' place, halved; outputs are those of the group's own pieces, 32 at a
  // time: a lane has eight of rows g and g + 8, four lanes those of a row. They go by way of the points' place, which is this warp's until it
  // orders the next tile: up to 128 outputs of its 16 rows, so that runs of whole lines leave together. In runs of 64 bytes requests to the
  // second-level cache were what the last pass waited for.
  static constexpr int stepOutputs = 32, runOutputs = 128;
  FFC_DEVICE u32 outputsAt(int row, int piece) const {
    return points + ka * C::fragmentBytes + (row >> 3) * C::planeBytes + (row & 7) * (2 * runOutputs) + (piece ^ (row & 1) << 2) * 16;
  }
  template <class Skip>
  FFC_DEVICE void storeInterpolated(const Tile& t, int exponent, const Skip& skip) const {
    const float scale = powerOfTwo(exponent + 1);
    // What is still to meet other samples waits as halves, halved once more: the filter may make the largest larger.
    const bool meets = Skip::present || p.post.data;
    constexpr int runPieces = runOutputs / (8 * C::rate);
#pragma unroll 1
    for (int first = 0; first < C::ownPieces; first += runPieces) {
      interpolate(firstPieceOf(t, warp >> p.log2Inner) + first, first, meets ? 0.5f : scale, meets);
      warpSync();
      storeRuns(t, first, 2 * scale, skip, meets);
      warpSync();
    }
  }
  // A run's outputs times `scale`, from the group's piece `first` on, which is the row's piece `inRow`; as halves, or as they are stored.
  FFC_DEVICE void interpolate(int inRow, int first, float scale, bool halves) const {
    const auto piecesFrom = [&](int piece, u32(&x)[4]) {
      // Behind the last one none is needed: its outputs are not stored, and others have zeros in the filter.
      const int own = piece + (lane >> 4) < C::pieces ? piece + (lane >> 4) : C::pieces - 1;
      loadMatrices(samples + warp * C::ownSampleBytes + place(lane & 15, own, 0), x[0], x[1], x[2], x[3]);
    };
#pragma unroll 1
    for (int i = 0; i < runOutputs / stepOutputs && first + i * C::upPieces < C::ownPieces; i++) {
      const int piece = first + i * C::upPieces, ofRow = inRow + i * C::upPieces;
      float sum[4][4] = {};
      u32 x[4], behind[4];
      piecesFrom(piece, x);
      if constexpr (C::upSteps == 3) {
        piecesFrom(piece + 2, behind);
        behind[2] = behind[3] = 0;
      }
#pragma unroll
      for (int part = 0; part < C::upParts; part++) {
        u32 f[4 * C::upSteps];
#pragma unroll
        for (int step = 0; step < C::upSteps; step++) {
          const uint4 v = filterStep((part * 2 + (ofRow & 1)) * C::upSteps + step);
          f[4 * step] = v.x, f[4 * step + 1] = v.y, f[4 * step + 2] = v.z, f[4 * step + 3] = v.w;
        }
#pragma unroll
        for (int b = 0; b < 4; b++) {
          mmaFloatAdd(sum[b], x, f[b * C::upSteps], f[b * C::upSteps + 1]);
          if constexpr (C::upSteps == 3) mmaFloatAdd(sum[b], behind, f[b * C::upSteps + 2], 0);
        }
      }
      const float factor = negated(ofRow >> 1) ? -scale : scale;
#pragma unroll
      for (int below = 0; below < 2; below++) {
        u32 out[4];
#pragma unroll
        for (int o = 0; o < 4; o++) {
          const float a = sum[o][2 * below] * factor, b = sum[o][2 * below + 1] * factor;
          out[o] = C::bf16 && !halves ? packBfloat(a, b) : packHalf(a, b);
        }
        sharedStore16(outputsAt(g + 8 * below, 4 * i + c), uint4{out[0], out[1], out[2], out[3]});
      }
    }
  }
  // Results first .. first + 7 of a row to outputs: with the skip term and the gate.
  template <class Skip>
  FFC_DEVICE uint4 outputsOf(float (&y)[8], const Skip& skip, typename Skip::Samples beside, uint64_t post, int first) const {
    skip.addTo(y, beside, first);
    if (p.post.data) multiplySamples<C>(y, post, first, p.outLength);
    return packSamples<C>(y);
  }
  // Half a warp stores a row's run, beginning with the group's piece `first`.
  template <class Skip>
  FFC_DEVICE void storeRuns(const Tile& t, int first, float scale, const Skip& skip, bool meets) const {
    const uint64_t outRow = rowOf(p.y, t), post = rowOf(p.post, t);
    const int m = warp & ((1 << p.log2Inner) - 1), rowSamples = 8 * C::rate * rowPieces(), piece = lane & 15;
    const int ofGroup = 8 * (C::rate * first + piece), inRow = 8 * C::rate * firstPieceOf(t, warp >> p.log2Inner) + ofGroup;
    if (ofGroup >= 8 * C::rate * C::ownPieces || inRow >= rowSamples) return;
    const auto outputOf = [&](int row) { return rowSamples * (row << p.log2Inner | m) + inRow; };
    constexpr int together = 2;  // rows whose samples are asked for at once; of four registers are spilled
#pragma unroll 1
    for (int from = lane >> 4; from < 16; from += 2 * together) {
      typename Skip::Samples beside[together];
#pragma unroll
      for (int i = 0; i < together; i++) beside[i] = skip.samplesAt(outputOf(from + 2 * i));
#pragma unroll
      for (int i = 0; i < together; i++) {
        const int row = from + 2 * i, at = outputOf(row);
        if (at >= p.outLength) continue;
        uint4 v = sharedLoad16(outputsAt(row, piece));
        if (meets) {
          float y[8];
          unpackSamples<Halves>(v, y);
#pragma unroll
          for (int o = 0; o < 8; o++) y[o] *= scale;
          v = outputsOf(y, skip, beside[i], post, at);
        }
        drainPiece(v, outRow, at, p.outLength);
      }
    }
  }
};

}  // namespace ffc::mma
