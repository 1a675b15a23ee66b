// The middle pass on tensor cores: every row of scratch is read, transformed over n2, multiplied by its row of the spectrum,
// transformed back and written, in place in scratch and in place in shared memory. The transform is the fused convolution's
// (mma/phases.cuh) with complex input and output.
//
// Row k1 has the frequencies k2 + (k1 - quarters / 4) / N1: a shift, which is in the tables. A block works on rows of one k1, sequence after
// sequence, for as long as there are any, then makes the tables of the next k1. Within a run of rows, interval j is
// first(set j + 1), middle(set j), last(set j - 1), as in mma/body.cuh; set j - 2 is being stored, and sets up to j + ahead are on their
// way in, each in a slot of its own. There is one barrier an interval, in two halves: a warp arrives when it is done and waits after the
// next interval's first(), which needs nothing but its samples.
#pragma once
#include "../mma/phases.cuh"
#include "tensor_config.h"
#include "tensor_largest.cuh"
#include "tensor_order.cuh"
#include "tensor_params.h"

namespace ffc::mma {

// A row comes and goes by plain copies; there is nothing to stage.
template <int Q, bool accurate, bool pieces>
struct Staging<RowConfig<Q, accurate, pieces>> {
  u32 end;
  FFC_DEVICE explicit Staging(const Params&) : end(sharedBase()) {}
};

template <class C>
struct RowPass : Phases<C> {
  using Base = Phases<C>;
  using Base::spectrumAt;
  using typename Base::A;
  using typename Base::Bins;
  using typename Base::Factor;
  using typename Base::Pair;
  static constexpr int Q = C::R, rows = C::rows;

  const RowParams& q;
  const int slots, ahead;  // sets are loaded so many intervals before their middle
  u32 factors, barriers, turn, exponents;  // `turn`: the barrier between intervals
  u32 turnParity = 0;
  int uniformWarp;       // `warp`, which the compiler does not know to be the same in all lanes
  bool bulk;             // bulk copies, which complete on a barrier per slot; otherwise every thread copies
  Bins bins[rows][Q][2];
  u32 factorAt;          // this lane's factors, within those of a row
  u32 binsAt[2];         // this lane's bins at +f and -f, within the spectrum of a row
  // The row that first() takes next: its channel, how many more rows the channel has, where the row's spectrum lies.
  int channel, channelLeft;
  const char* spectrumRow;
  int channelAt[rows];   // whose spectrum is at hand
  // Some phases' operands are fetched while another phase computes; where registers are short, each when it is needed.
  static constexpr bool mixed = Q == 1 && !C::accurate;
  // The threads that issue bulk copies, of warps which have no factors to make.
  // In the long order the one fills what the other has stored.
  static constexpr int storer = threads - 32, loader = C::longOrder ? storer : threads - 64;

  FFC_DEVICE explicit RowPass(const RowParams& params) : Base(params), q(params), slots(params.slots), ahead(params.slots - 3) {
    uniformWarp = int(warpMax(this->warp));
    this->loadTables();
    this->finishTables();
    factors = this->image + C::twiddleBytes + C::ringBytes;
    barriers = factors + C::factorBytes;
    const int row = this->lane & 7, half = this->lane >> 3 & 1, other = this->lane >> 4, w = this->warp;
    this->addressOuter = pieceAt(half * 8 + row, w, other);
    this->addressIn = other * Base::planeBytes + pieceAt(w, half * 8 + row, 0);
    this->addressOut = pieceAt(w, other * 8 + row, half);
    factorAt = ((w * Q >> (q.halfTiles ? 1 : 2)) * 8 + this->c * 2) * 4;
    for (int h = 0; h < 2; h++) {
      const int k2 = h ? 15 - this->g : this->g;
      binsAt[h] = u32(C::somePieces ? pieceGroup(Q, w, 0, k2, this->c) : spectrumGroup(Q, 16, w, 0, k2, this->c)) * Base::binPieces * 16;
    }
    // The compiler would rather make these again for every row.
    keepInRegister(this->addressOuter), keepInRegister(this->addressIn), keepInRegister(this->addressOut);
    keepInRegister(factorAt), keepInRegister(binsAt[0]), keepInRegister(binsAt[1]);
    bulk = hasTensorCopies && q.useMaps;
    if (threadIndex() == loader)
      for (int i = 0; i < slots && bulk; i++) barrierInit(barriers + i * 8);
    turn = barriers + slots * 8;
    exponents = turn + C::splitBarriers * 8;
    splitInit(turn);
  }

  // Piece h of (n1, n2) at n3h = 0; n3h and h are an XOR with (2 n3h + h) * 16.
  FFC_DEVICE static u32 pieceAt(int n1, int n2, int h) {
    const int number = (n1 * 16 + n2) * 2 * Q + h, group = number >> 3;
    return group * 128 + ((number ^ pieceTurn(group, C::log2Q)) & 7) * 16;
  }

  // ---------------------------------------------------------------- tables of one k1

  // Frequencies k + (k1 - quarters / 4) / N1 are multiples of 1 / 4 N1: numerators, exact in integers. f0: that of k = 0.
  FFC_DEVICE void makeTables(u32 f0) {
    const u32 N1 = 1u << q.log2N1;
    const int outerBits = q.log2N1 + 10, innerBits = q.log2N1 + 14 + C::log2Q;
    const int g = this->g, c = this->c, w = this->warp;
    auto outer = [&](int ka, int a) {
      const u32 F = 4 * N1 * ka + f0;
      const float2 v = rootOfUnity(16 * a * F + w * (F - 32 * N1), outerBits);
      return float2{v.x * 0.25f, v.y * 0.25f};
    };
    auto pairOf = [](float2 x, float2 y, u32& re, u32& im) { re = packHalf(x.x, y.x), im = packHalf(x.y, y.y); };
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int row = g + 8 * (i & 1), column = 2 * c + 8 * (i >> 1);
      pairOf(outer(row, column), outer(row, column + 1), this->matrixIn[0][i], this->matrixIn[1][i]);
    }
    if constexpr (!C::longOrder) turnMatrix();
    const u32 own = 4 * N1 * w + f0;
    auto mirrored = [](int s, int j) { return s ? 15 - j : j; };
    auto twiddle = [&](int kb, int k2, int n) {
      const u32 turns = n * (own + 64 * N1 * k2) + n * kb * (1024 * N1) - n * (512 * Q * N1);
      const float2 v = rootOfUnity(turns, innerBits);
      constexpr float unit = Q == 1 ? 1.0f : Q == 2 ? 0.70710678f : 0.5f;
      return float2{v.x * unit, v.y * unit};
    };
    auto step = [&](int k2) { return rootOfUnity(16 * (own + 64 * N1 * k2), innerBits); };
    if constexpr (C::accurate) {
      // Turns (tan(angle / 2), sin(angle)) of every row k2 and column n3l of this warp's ka; see mma/arithmetic.cuh.
#pragma unroll 1
      for (int i = this->lane; i < 256; i += 32) {
        const int row = i >> 4, n = i & 15;
        const u32 turns = n * (own + 64 * N1 * mirrored(row >> 3, row & 7)) + n * C::centre * (1024 * N1) - n * (512 * Q * N1);
        const float2 v = rootOfUnity(turns, innerBits);
        sharedStore8(this->image + w * 2048 + row * 128 + turnSlot(row, n) * 8, wordsOf(float2{v.y / (1 + v.x), v.y}));
      }
      if (Q > 1 && this->lane < 16)
        sharedStore8(this->image + C::imageBytes + w * 128 + this->lane * 8,
                     wordsOf(step(mirrored(this->lane >> 3, this->lane & 7))));
      warpSync();
      keepInRegister(this->turnOut);  // or loads of constants, which the backward turns are, would move across the stores
    } else if constexpr (!C::twiddleRegisters) {
      // In shared memory: the twiddles of kb = 0 as 8 x 8 matrices, real and imaginary, and the powers of the steps over n3h.
      const u32 at = this->image + w * 1024 + this->lane * 4;
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const int s = i & 1, column = 8 * (i >> 1) + 2 * c;
        u32 re, im;
        pairOf(twiddle(0, mirrored(s, g), column), twiddle(0, mirrored(s, g), column + 1), re, im);
        sharedStore4(at + i * 128, re), sharedStore4(at + i * 128 + 512, im);
      }
      static_assert(C::storedPowers == 2);
      const int i = this->lane & 15, power = 1 + (this->lane >> 4);
      const float2 v = rootOfUnity(power * 16 * (own + 64 * N1 * mirrored(i >> 3, i & 7)), innerBits);
      sharedStore4(this->stepsAt(power) + i * 4, packHalf(v.x, v.y));
      warpSync();
      keepInRegister(this->image);  // as above
    } else {
#pragma unroll
      for (int half = 0; half < 2; half++)
#pragma unroll
        for (int s = 0; s < 2; s++) {
          const int column = 8 * half + 2 * c;
#pragma unroll
          for (int kb = 0; kb < Q; kb++) {
            u32(&to)[8] = this->forward[kb];
            u32(&fro)[8] = this->backward[kb];
            const int i = 2 * (2 * half + s), j = 2 * (2 * s + half);
            pairOf(twiddle(kb, mirrored(s, g), column), twiddle(kb, mirrored(s, g), column + 1), to[i], to[i + 1]);
            fro[j] = transposed(to[i]), fro[j + 1] = transposed(to[i + 1]);
          }
        }
      if constexpr (Q > 1) {
#pragma unroll
        for (int s = 0; s < 2; s++) {
          const float2 v = step(mirrored(s, g));
#pragma unroll
          for (int part = 0; part < 2; part++) {
            this->stepIn[2 * s + part] = packHalf(part ? v.y : v.x, part ? v.y : v.x);
            this->stepOut[2 * s + part] = transposed(this->stepIn[2 * s + part]);
          }
        }
      }
    }
  }
  // What belongs to the way back is the transpose.
  FFC_DEVICE void turnMatrix() {
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
      for (int part = 0; part < 2; part++)
        this->matrixOut[part][i] = transposed(this->matrixIn[part][(i & 1) * 2 + (i >> 1)]);
  }
  FFC_DEVICE static uint64_t wordsOf(float2 v) { return floatBits(v.x) | uint64_t(floatBits(v.y)) << 32; }

  // ---------------------------------------------------------------- rows on their way

  // The rows of this block from (k1, sequence) on. Sets are up to `rows` rows of one k1 and follow one another across k1.
  struct Cursor {
    int k1, sequence, left;
  };
  FFC_DEVICE Cursor start() const {
    const int64_t all = int64_t(q.sequences) * q.rows;
    const int64_t from = all * blockIndex() / gridSize(), until = all * (blockIndex() + 1) / gridSize();
    const int k1 = int(from / q.sequences);
    return {k1, int(from - int64_t(k1) * q.sequences), int(until - from)};
  }
  // Rows of one k1 from here on, at most so many.
  FFC_DEVICE int together(const Cursor& at, int most) const {
    const int inRun = q.sequences - at.sequence, count = at.left < inRun ? at.left : inRun;
    return count < most ? count : most;
  }
  FFC_DEVICE void advance(Cursor& at, int count) const {
    at.sequence += count;
    at.left -= count;
    if (at.sequence == q.sequences) at.sequence = 0, at.k1++;
  }
  FFC_DEVICE char* rowAt(int k1, int sequence) const {
    return q.scratch + (sequence * q.sequenceBytes + int64_t(k1) * C::rowBytes);
  }
  static constexpr u32 setBytes = rows * C::rowBytes;
  // Slots are known by their addresses; `exchange` is the first.
  FFC_DEVICE u32 next(u32 slot) const { return slot + setBytes == this->image ? this->exchange : slot + setBytes; }
  FFC_DEVICE u32 barrierOf(u32 slot) const { return barriers + (slot - this->exchange) / setBytes * 8; }

  // The next set into its slot, which the set stored two intervals ago has left. Bulk copies are the business of one thread, and so
  // is where they stand.
  FFC_DEVICE void load(Cursor& coming, u32& slot) const {
    if (bulk && threadIndex() != loader) return;
    const int count = together(coming, rows);
    if (coming.left > q.order.meet && coming.left - count <= q.order.meet) meetEarlierWork();
    if (bulk && count) {
      const u32 barrier = barrierOf(slot);
      barrierExpect(barrier, count * C::rowBytes);
#pragma unroll
      for (int i = 0; i < rows; i++)
        if (i < count)
          bulkLoad(slot + i * C::rowBytes, rowAt(coming.k1, coming.sequence + i), C::rowBytes, barrier);
    } else {
#pragma unroll 1
      for (int i = 0; i < count; i++)
#pragma unroll
        for (int j = 0; j < C::rowBytes / 16; j += threads) {
          const int piece = (j + threadIndex()) * 16;
          copyAsync16(slot + i * C::rowBytes + piece, rowAt(coming.k1, coming.sequence + i) + piece);
        }
    }
    advance(coming, count);
    slot = next(slot);
  }
  FFC_DEVICE void store(int k1, int sequence, int count, u32 slot) const {
    if (bulk) {
      if (threadIndex() != storer) return;
#pragma unroll
      for (int i = 0; i < rows; i++)
        if (i < count) bulkStore(rowAt(k1, sequence + i), slot + i * C::rowBytes, C::rowBytes);
      bulkCommit();
    } else {
#pragma unroll 1
      for (int i = 0; i < count; i++)
#pragma unroll
        for (int j = 0; j < C::rowBytes / 16; j += threads) {
          const int piece = (j + threadIndex()) * 16;
          storePoints(rowAt(k1, sequence + i) + piece, sharedLoad16(slot + i * C::rowBytes + piece));
        }
    }
  }

  // Powers of two that bring the columns' results of a set to the range of the sequence: word [group][n1 / 2 % 4][n1 / 8] of a row holds
  // those of n1, n1 + 1, in the order in which a lane needs them; a group is 64 columns, or 32 where column tiles are that narrow.
  // A thread makes one word of a set. By what a sequence is scaled, one warp a row has found out an interval before: the other warps of the
  // block wait for those with more to do, so these are neither the ones that make factors nor those that order copies.
  static constexpr int wordsOfSet = rows * C::factorWords, firstReader = wordsOfSet / 32;
  static_assert(firstReader + C::factorSets * rows <= loader / 32 && C::factorWords % 32 == 0);
  FFC_DEVICE int log2Tiles() const { return 6 + C::log2Q + q.halfTiles - q.log2TileShare; }
  FFC_DEVICE const uint8_t* tilesOf(int sequence) const { return q.largest + (int64_t(sequence) << log2Tiles()); }
  FFC_DEVICE u32 exponentAt(int set, int row) const { return exponents + ((set & (C::factorSets - 1)) * rows + row) * 4; }
  // In flight, of one warp: a sequence's tiles, or (word 0) the exponent for the factors.
  struct Factors {
    TileCodes<Q> tiles;
    int low, high;  // codes of the tiles of n1, n1 + 1
  };
  // Of row `row` behind the sequence. Past the last one it is the last one again, which nobody asks for.
  FFC_DEVICE void fetchTiles(int sequence, int row, int readers, Factors& f) const {
    if (u32(row) >= u32(readers)) return;
    sequence += row;
    f.tiles.fetch(tilesOf(sequence < q.sequences ? sequence : q.sequences - 1), log2Tiles(), this->lane);
  }
  FFC_DEVICE void storeExponent(int set, int row, int readers, const Factors& f) const {
    if (u32(row) >= u32(readers)) return;
    const int e = sequenceExponent(f.tiles.largest(), q.rangeExponent, q.mostExponent) + q.columnExponent;
    if (this->lane == 0) sharedStore4(exponentAt(set, row), u32(e));
  }
  FFC_DEVICE bool makesFactors(int count) const { return threadIndex() < wordsOfSet && threadIndex() / C::factorWords < count; }
  FFC_DEVICE void fetchFactors(int sequence, int count, int set, Factors& f) const {
    if (!makesFactors(count)) return;
    const int row = threadIndex() / C::factorWords;
    f.tiles.word[0] = sharedLoad4(exponentAt(set, row));
    f.low = f.high = unscaledTile;
    if (!q.scaledTiles) return;
    const uint8_t* const tiles = tilesOf(sequence + row);
    const int n1 = (threadIndex() >> 1 & 3) * 2 + (threadIndex() & 1) * 8, log2Groups = 2 + C::log2Q + q.halfTiles, group = threadIndex() % C::factorWords >> 3;
    if (group >> log2Groups) return;
    f.low = int(loadFresh1(tiles + (((n1 << log2Groups) + group) >> q.log2TileShare)));
    f.high = int(loadFresh1(tiles + ((((n1 + 1) << log2Groups) + group) >> q.log2TileShare)));
  }
  FFC_DEVICE u32 factorsOf(int set) const { return factors + (set & (C::factorSets - 1)) * (wordsOfSet * 4); }
  FFC_DEVICE void storeFactors(int count, const Factors& f, int set) const {
    if (!makesFactors(count)) return;
    const int e = int(f.tiles.word[0]);
    sharedStore4(factorsOf(set) + threadIndex() * 4, packHalf(powerOfTwo(e - tileExponent(f.low)), powerOfTwo(e - tileExponent(f.high))));
  }

  // ---------------------------------------------------------------- phases

  // Of n3h = b: 16 x 16 points, n1 by n3l, of this warp's n2.
  struct Operands {
    u32 re[4], im[4];
  };
  FFC_DEVICE u32 outerAt(u32 row, int b) const { return row + (this->addressOuter ^ (b * 32)); }
  FFC_DEVICE void fetch(u32 row, int b, Operands& o) const {
    loadTransposed(outerAt(row, b), o.re[0], o.re[1], o.re[2], o.re[3]);
    loadTransposed(outerAt(row, b) + Base::planeBytes, o.im[0], o.im[1], o.im[2], o.im[3]);
  }
  FFC_DEVICE void first(u32 row, int b, Operands o, uint64_t factorPairs) const {
    const u32 low = u32(factorPairs), high = u32(factorPairs >> 32);
    u32 re[4], im[4];
#pragma unroll
    for (int t = 0; t < 2; t++) {
      u32(&x)[4] = o.re, (&y)[4] = o.im;
      x[2 * t] = halfMul(x[2 * t], low), x[2 * t + 1] = halfMul(x[2 * t + 1], high);
      y[2 * t] = halfMul(y[2 * t], low), y[2 * t + 1] = halfMul(y[2 * t + 1], high);
      Pair r[2], i[2];
      A::dot2(r, this->matrixIn[0], x[2 * t], x[2 * t + 1], this->matrixIn[1], halfNegate(y[2 * t]), halfNegate(y[2 * t + 1]));
      A::dot2(i, this->matrixIn[0], y[2 * t], y[2 * t + 1], this->matrixIn[1], x[2 * t], x[2 * t + 1]);
      re[2 * t] = A::pack(r[0]), re[2 * t + 1] = A::pack(r[1]);
      im[2 * t] = A::pack(i[0]), im[2 * t + 1] = A::pack(i[1]);
    }
    storeMatrices(outerAt(row, b), re[0], re[1], re[2], re[3]);
    storeMatrices(outerAt(row, b) + Base::planeBytes, im[0], im[1], im[2], im[3]);
  }
  // The rows of a set. Factors of n1 = 2c, 2c + 1 and of n1 + 8 are the same for all n3h.
  template <bool whole>
  FFC_DEVICE void firsts(u32 slot, u32 factorsOfSet, int count) const {
    if constexpr (whole && mixed) {
      Operands o[rows];
      uint64_t pairs[rows];
#pragma unroll
      for (int i = 0; i < rows; i++)
        fetch(slot + i * C::rowBytes, 0, o[i]), pairs[i] = sharedLoad8(factorsOfSet + i * C::factorWords * 4 + factorAt);
#pragma unroll
      for (int i = 0; i < rows; i++) first(slot + i * C::rowBytes, 0, o[i], pairs[i]);
    } else {
#pragma unroll
      for (int i = 0; i < rows; i++) {
        if (!whole && i >= count) break;
        const uint64_t pairs = sharedLoad8(factorsOfSet + i * C::factorWords * 4 + factorAt);
#pragma unroll
        for (int b = 0; b < Q; b++) {
          Operands o;
          fetch(slot + i * C::rowBytes, b, o);
          first(slot + i * C::rowBytes, b, o, pairs);
        }
      }
    }
  }

  // The conjugate transpose.
  FFC_DEVICE void last(u32 row, int b, const Operands& o) const {
    const u32(&x)[4] = o.re, (&y)[4] = o.im;
    u32 re[4], im[4];
#pragma unroll
    for (int t = 0; t < 2; t++) {
      Pair r[2], i[2];
      A::dot2(r, this->matrixOut[0], x[2 * t], x[2 * t + 1], this->matrixOut[1], y[2 * t], y[2 * t + 1]);
      A::dot2(i, this->matrixOut[0], y[2 * t], y[2 * t + 1], this->matrixOut[1], halfNegate(x[2 * t]), halfNegate(x[2 * t + 1]));
      re[2 * t] = A::pack(r[0]), re[2 * t + 1] = A::pack(r[1]);
      im[2 * t] = A::pack(i[0]), im[2 * t + 1] = A::pack(i[1]);
    }
    storeMatrices(outerAt(row, b), re[0], re[1], re[2], re[3]);
    storeMatrices(outerAt(row, b) + Base::planeBytes, im[0], im[1], im[2], im[3]);
  }
  FFC_DEVICE void last(u32 row) const {
#pragma unroll
    for (int b = 0; b < Q; b++) {
      Operands o;
      fetch(row, b, o);
      last(row, b, o);
    }
  }

  // ---------------------------------------------------------------- spectrum

  FFC_DEVICE int channelOf(int sequence) const {
    const int row = q.first + sequence;
    return q.batchMagic ? int(highProduct(row, q.batchMagic) >> q.batchShift) : row;
  }
  // From a row of this sequence on, first() takes one after the other.
  static constexpr u32 spectrumRowBytes = 1024 * Q * Base::binPieces * 16;
  FFC_DEVICE int rowsOfChannel() const { return q.sharedSpectrum ? 0x7fffffff : q.batch; }
  FFC_DEVICE void beginBins(int k1, int sequence) {
    const int row = q.first + sequence;
    channel = q.sharedSpectrum ? 0 : channelOf(sequence);
    channelLeft = rowsOfChannel() - (q.sharedSpectrum ? 0 : row - channel * q.batch);
    spectrumRow = static_cast<const char*>(q.spectrum) + (int64_t(channel) * q.rows + k1) * spectrumRowBytes;
#pragma unroll
    for (int i = 0; i < rows; i++) channelAt[i] = -1;
    if constexpr (C::somePieces) {
      this->pieces = loadConstant1(q.pieces + k1 * threads + threadIndex());
      if constexpr (C::spectrumRegisters) {
        // What is never read remains zero.
#pragma unroll
        for (int i = 0; i < rows; i++)
#pragma unroll
          for (int b = 0; b < Q; b++)
#pragma unroll
            for (int h = 0; h < 2; h++)
#pragma unroll
              for (int piece = 0; piece < Base::binPieces; piece++) bins[i][b][h].piece[piece] = uint4{0, 0, 0, 0};
      }
    }
  }
  // Fetches the spectrum of the next row, row i of its set, unless it is at hand. The registers are not read before the row's
  // middle. No branch, so that the compiler can mix what is before and behind.
  FFC_DEVICE void fetchBins(int i) {
    const bool wanted = channel != channelAt[i];
    channelAt[i] = channel;
#pragma unroll
    for (int h = 0; h < 2; h++) {
      this->spectrumAt[h] = reinterpret_cast<const uint4*>(spectrumRow + binsAt[h]);
      if constexpr (C::spectrumRegisters) {
#pragma unroll
        for (int b = 0; b < Q; b++)
#pragma unroll
          for (int piece = 0; piece < Base::binPieces; piece++)
            loadConstant16If(wanted && (!C::somePieces || this->pieces >> (2 * b + h) & 1), bins[i][b][h].piece[piece],
                             this->spectrumAt[h] + b * 64 * Base::binPieces + piece);
      }
    }
    const bool end = --channelLeft == 0;
    channel += end;
    channelLeft = end ? rowsOfChannel() : channelLeft;
    spectrumRow += end ? int64_t(q.rows) * spectrumRowBytes : 0;
  }
  // `before` runs before the last results are stored, `halfway` between the way there and the way back.
  template <bool withoutSkip, class Before, class Halfway>
  FFC_DEVICE void runMiddle(int sequence, int i, u32 row, Before&& before, Halfway&& halfway) {
    if (!withoutSkip && q.skip) {
      // y + d v is one more tap: every frequency gains d.
      const int channel = channelOf(sequence), own = int(loadConstant4(q.exponent + (q.sharedSpectrum ? 0 : channel)));
      const float d = skipLoad(q.skip, channel, q.skipType) * q.spectrumGain;
      const int exponent = exponentWithSkip<C>(own, d);
      for (int h = 0; h < 2; h++) {
        this->rescale[h] = powerOfTwo(own - exponent);
        this->skipValue[h] = d * powerOfTwo(-exponent);
      }
    }
    if constexpr (C::spectrumRegisters) {
#pragma unroll
      for (int b = 0; b < Q; b++)
#pragma unroll
        for (int h = 0; h < 2; h++) {
          this->spectrum[b][h] = this->template withSkip<withoutSkip>(bins[i][b][h], h);
        }
      this->template middle<SpectrumFrom::registers>(row, before, halfway);
    } else if constexpr (C::spectrumRing) {
      this->template middle<SpectrumFrom::ring>(row, before, halfway);
    } else {
      this->template middle<withoutSkip ? SpectrumFrom::memoryWithoutSkip : SpectrumFrom::memory>(row, before, halfway);
    }
  }

  // ---------------------------------------------------------------- the pass

  // Middle of the `middles` rows from `sequence` on, last of the `lasts` rows before them. whole: all of them are `rows`, and there
  // is no skip term; code without branches. Fetches the spectra of the `firsts` rows that follow.
  template <bool whole>
  FFC_DEVICE void interval(int sequence, int middles, int firsts, int lasts, u32 now, u32 before) {
    Operands out[2];
    if constexpr (whole && mixed) fetch(before, 0, out[0]);
#pragma unroll
    for (int i = 0; i < rows; i++) {
      const u32 row = i * C::rowBytes;
      if constexpr (whole && mixed) {
        runMiddle<true>(
            sequence + i, i, now + row, [&] { if (i + 1 < rows) fetch(before + row + C::rowBytes, 0, out[(i + 1) & 1]); },
            [&] { last(before + row, 0, out[i & 1]); });
        fetchBins(i);
      } else {
        if (whole || i < middles) runMiddle<whole>(sequence + i, i, now + row, [] {}, [] {});
        if (whole || i < firsts) fetchBins(i);
        if (whole || i < lasts) last(before + row);
      }
    }
  }

  FFC_DEVICE void waitTurn() { splitWait(turn, turnParity), turnParity ^= 1; }

  FFC_DEVICE void run() {
    blockSync();
    beginPass(q.order);
    Cursor at = start(), coming = at;
    u32 slot = this->exchange, comingSlot = slot;
    u32 parity = 0;  // of the slot's barrier, for the set that first() takes next
    for (int i = 0; i < ahead; i++) load(coming, comingSlot);
    while (at.left > 0) {
      // A run: the rows of one k1. The pipeline starts and ends empty.
      const int k1 = at.k1, count = together(at, at.left), sets = (count + rows - 1) / rows, wholeSets = count / rows;
      auto rowsOf = [&](int set) { return set < 0 || set >= sets ? 0 : set < wholeSets ? rows : count - wholeSets * rows; };
      makeTables(loadConstant4(q.numerators + k1));
      int sequence = at.sequence;
      Factors fetched;
      // The exponents of four sets at once, a warp a row.
      const int reader = uniformWarp - firstReader;
      fetchTiles(sequence, reader, C::factorSets * rows, fetched);
      storeExponent(0, reader, C::factorSets * rows, fetched);
      blockSync();
      for (int i = 0; i < 3; i++) {
        fetchFactors(sequence + i * rows, rowsOf(i), i, fetched);
        storeFactors(rowsOf(i), fetched, i);
      }
      beginBins(k1, sequence);
#pragma unroll
      for (int i = 0; i < rows; i++)
        if (i < rowsOf(0)) fetchBins(i);
      if (!bulk) copyAsyncWaitAll();
      blockSync();
      if (bulk) barrierWait(barrierOf(slot), parity);
      firsts<false>(slot, factorsOf(0), rowsOf(0));
      splitArrive(turn);
      u32 before = 0, older = 0;
      int set = 0;
      // steady: all sets that this interval has to do with are there and whole, and there is no skip term.
      auto step = [&](auto steadiness) {
        constexpr bool steady = decltype(steadiness)::value;
        auto size = [&](int set) { return steady ? rows : rowsOf(set); };
        const u32 after = next(slot);
        if ((steady || set < sets) && after == this->exchange) parity ^= 1;
        if (!bulk) waitTurn();  // the copies are other threads', too
        if (steady || set + 1 < sets) {
          if (bulk) barrierWait(barrierOf(after), parity);
          firsts<steady>(after, factorsOf(set + 1), size(set + 1));
        }
        if (bulk) waitTurn();
        if (steady || set >= 2) store(k1, sequence - 2 * rows, size(set - 2), older);
        if (steady || set < sets) load(coming, comingSlot);
        fetchFactors(sequence + 3 * rows, size(set + 3), set + 3, fetched);
        fetchTiles(sequence + 4 * rows, reader, rows, fetched);
        interval<steady>(sequence, size(set), size(set + 1), size(set - 1), slot, before);
        storeFactors(size(set + 3), fetched, set + 3);
        storeExponent(set + 4, reader, rows, fetched);
        if (bulk) {
          fenceTensorCopies();
          if (threadIndex() == storer) tensorStoresRead();  // the slot of set - 2 is free
        } else {
          copyAsyncWaitAll();
        }
        splitArrive(turn);
        older = before;
        before = slot;
        if (steady || set < sets) slot = after;
        set++, sequence += rows;
      };
      while (set < sets + 2) {
        if (set >= 2 && !q.skip)
          while (set + 3 < wholeSets) step(std::true_type());
        step(std::false_type());
      }
      waitTurn();
      advance(at, count);
    }
    if (bulk && threadIndex() == storer) tensorStoresDone();
  }
};

}  // namespace ffc::mma
