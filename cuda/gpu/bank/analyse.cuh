// Samples to the numbers of all slots: a warp has the coefficients of its residues in registers, 16 rows of slots by 288 samples, or by 320
// where the rows are two numbers of eight slots.
#pragma once
#include "row_scale.cuh"

namespace ffc::gpu {
namespace {

// In shared memory, bytes: samples as halves; numbers of the slots, a word more for each, so that eight slots lie in banks of their own; samples (and a
// gate's) as they come. Float16 samples without a gate come where they are read, those of the next tile in another place.
constexpr int tileSamples = (tileNumbers + neighbours) * D, tilePieces = tileSamples / 8, samplesBytes = tileSamples * 2;
constexpr int numbersPitch = 2 * tileNumbers + 4;
constexpr int samplesAt = 0, comingAt = samplesBytes, gateAt = 2 * samplesBytes;
static_assert(samplesBytes % 128 == 0);
FFC_MMA_SHARED constexpr int numbersAtOf(bool gated) { return gated ? 3 * samplesBytes : 2 * samplesBytes; }
FFC_MMA_SHARED constexpr int analysisBytes(bool gated, int slots) { return numbersAtOf(gated) + slots * numbersPitch; }

template <bool bf16, bool gated, int Together>
__global__ void __launch_bounds__(Product<Together>::threads, 2) analyseRows(const __grid_constant__ BankParams p) {
  using Shape = Product<Together>;
  constexpr bool plain = !bf16 && !gated;
  constexpr int steps = Shape::steps, groups = Shape::groups, products = Shape::products;
  const BankRows& r = p.rows;
  BankTile tile(p);
  // Once more: rows that were scaled well are left as they are.
  const auto skipRows = [&] {
    if constexpr (!plain)
      while (p.again && tile.left > 0 && !RowScale(r, tile.row, true).misjudged) tile.skipRow(p);
  };
  skipRows();
  if (tile.left == 0) return;
  const u32 base = sharedBase(), numbersAt = base + numbersAtOf(gated);
  const int thread = threadIndex(), lane = thread & 31, warp = thread >> 5, g = lane >> 2, c = lane & 3;
  // The first residue of this warp, and its first group.
  const int residue = warp % (residues / 2) * 2, firstGroup = warp / (residues / 2) * groups;
  u32 a[products][steps][4];
#pragma unroll
  for (int q = 0; q < products; q++)
#pragma unroll
    for (int i = 0; i < steps; i++) {
      const uint4 v = loadConstant16(p.table + ((residue / Together + q) * steps + i) * 32 + lane);
      a[q][i][0] = v.x, a[q][i][1] = v.y, a[q][i][2] = v.z, a[q][i][3] = v.w;
    }
  using Own = Pieces<tilePieces, Shape::threads>;
  const Own coming{base + comingAt}, gates{base + gateAt};
  uint64_t u, pre = 0, numbers;
  int exponent;
  const auto begin = [&](u32 ofChunk) {
    const BankRow row(r, ofChunk);
    u = row.addressOf(r.u, r.uStride), numbers = row.numbersOf(r);
    if constexpr (gated) pre = row.addressOf(r.pre, r.preStride);
    if constexpr (!plain) exponent = RowScale(r, ofChunk, p.again).exponent();
  };
  const int around = D * r.around;
  const auto firstSample = [&](u32 ofRow) { return (int(ofRow) * tileNumbers - neighbours) * D; };
  u32 samples = base + samplesAt;
  const auto order = [&](u32 ofRow) {
    if constexpr (plain)
      Own{samples}.template order<true>(u, firstSample(ofRow), r.length, around);
    else
      coming.order(u, firstSample(ofRow), r.length, around);
    if constexpr (gated) gates.order(pre, firstSample(ofRow), r.length, around);
  };

  begin(tile.row);
  order(tile.ofRow);
  while (tile.left > 0) {
    copyAsyncWaitAll();
    if constexpr (!plain) {
      const int first = firstSample(tile.ofRow);
      const float scale = powerOfTwo(exponent);
      u32 most = 0;  // of products, float bits; of samples, two by two, their own
      Own::forOwn([&](int piece) {
        const uint4 x = coming.take(piece, u, first, r.length, around), y = gated ? gates.take(piece, pre, first, r.length, around) : uint4{};
        u32 w[4] = {x.x, x.y, x.z, x.w};
        const u32 f[4] = {y.x, y.y, y.z, y.w};
#pragma unroll
        for (int i = 0; i < 4; i++) {
          float2 v = unpackPair<bf16>(w[i]);
          if constexpr (gated) {
            const float2 q = unpackPair<bf16>(f[i]);
            v.x *= q.x, v.y *= q.y;
            most = max(most, max(floatBits(v.x) & 0x7fffffffu, floatBits(v.y) & 0x7fffffffu));
          } else {
            most = largerHalves(most, w[i] & 0x7fff7fffu);
          }
          w[i] = packHalf(v.x * scale, v.y * scale);
        }
        sharedStore16(samples + placeOfPiece(piece), uint4{w[0], w[1], w[2], w[3]});
      });
      if constexpr (!gated) most = max(most << 16, most & 0xffff0000u);  // bfloat16
      most = warpMax(most);
      if (lane == 0 && !p.again) globalMax(r.largestOfAll + tile.row, most);
    }
    blockSync();
    const int firstNumber = int(tile.ofRow) * tileNumbers;
    const uint64_t to = numbers;
    const u32 own = samples;
    if constexpr (plain) samples = 2 * base + samplesAt + comingAt - samples;
    if (tile.advance(p)) {
      skipRows();
      if (tile.left > 0) begin(tile.row);
    }
    if (tile.left > 0) order(tile.ofRow);

    // Number m of the tile is made of the samples from D m on.
    float d[products][groups][4] = {};
#pragma unroll
    for (int i = 0; i < Shape::windowSteps; i += 2)
#pragma unroll
      for (int group = 0; group < groups; group++) {
        // The XOR has the groups' pieces in the bits above it.
        const int m = 8 * (lane & 7) + residue, piece = m * (D / 8) + 2 * i + (lane >> 3);
        u32 b[4];
        loadMatrices(own + placeOfPiece(piece) + (firstGroup + group) * (64 * D * 2), b[0], b[1], b[2], b[3]);
#pragma unroll
        for (int q = 0; q < products; q++) {
          const int step = i - q * (D / 16);
          if (step < 0 || step >= steps) continue;
          mmaFloatAdd(d[q][group], a[q][step], b[0], b[1]);
          mmaFloatAdd(d[q][group], a[q][step + 1], b[2], b[3]);
        }
      }
    constexpr float scaled = plain ? float(1 << plainExponent) / (1 << coefficientExponent) : 1.0f / (1 << coefficientExponent);
#pragma unroll
    for (int q = 0; q < products; q++)
#pragma unroll
      for (int group = 0; group < groups; group++)
#pragma unroll
        for (int i = 0; i < 4; i++) {
          // Rows are those of sixteen slots, or of eight and of the same of the next residue.
          const int half = i >> 1, slot = Together == 1 ? g + 8 * half : g;
          const int m = 64 * (firstGroup + group) + 8 * (2 * c + (i & 1)) + residue + (Together == 1 ? q : half);
          sharedStore2(numbersAt + slot * numbersPitch + 2 * m, uint16_t(packHalf(d[q][group][i] * scaled, 0)));
        }
    blockSync();
    // Two numbers a thread.
    const int pair = thread % (tileNumbers / 2), firstSlot = thread / (tileNumbers / 2);
    constexpr int slotsAtOnce = Shape::threads / (tileNumbers / 2);
    if (firstNumber + 2 * pair < r.count) {
      const int64_t apart = slotBytes(r);
      uint64_t at = to + 2 * (firstNumber + 2 * pair) + firstSlot * apart;
#pragma unroll
      for (int i = 0; i < Shape::slots / slotsAtOnce; i++, at += slotsAtOnce * apart) {
        const int slot = firstSlot + i * slotsAtOnce;
        if (slot < r.slots) *reinterpret_cast<u32*>(at) = sharedLoad4(numbersAt + slot * numbersPitch + 4 * pair);
      }
    }
  }
}

}  // namespace
}  // namespace ffc::gpu
