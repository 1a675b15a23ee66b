// The middle pass for rows of 16384 points. One is 64 KB, so shared memory holds three slots, and the phases of a row follow
// one another: middle(j), first(j + 1), last(j), middle(j + 1). Three barriers in two halves, each with another phase between arriving and
// waiting: last(j) needs every warp's middle(j), middle(j + 1) every warp's first(j + 1), and the store of row j every warp's last(j).
// During middle(j) row j - 1 leaves the third slot, which row j + 2 then fills. The fast class brings the spectrum through a ring of
// pieces, which each lane fills and reads itself; the accurate one, whose tables take 32 KB, reads it from L2.
#pragma once
#include "tensor_rows.cuh"

namespace ffc::mma {

template <class C>
struct LongRowPass : RowPass<C> {
  using Base = RowPass<C>;
  using Base::q, Base::bulk, Base::Q;
  using typename Base::Cursor;
  using typename Base::Operands;

  FFC_DEVICE explicit LongRowPass(const RowParams& params) : Base(params) {}

  // The powers of two of tensor_rows/factors.cuh, by shuffles: lane (g, c) has the one of column tile g / 4 of this warp's two and of
  // n1 = 2c + g % 2 + 8 (g / 2 % 2). The code of that tile:
  FFC_DEVICE int fetchFactor(int sequence) const {
    if (!q.scaledTiles) return unscaledTile;
    const uint8_t* const tiles = this->tilesOf(sequence);
    const int n1 = 2 * this->c + (this->g & 1) + (this->g & 2) * 4, log2Groups = 2 + C::log2Q + q.halfTiles;
    const int group = (this->warp * Q + (this->g >> 2) * 2) >> (q.halfTiles ? 1 : 2);
    return int(loadFresh1(tiles + (((n1 << log2Groups) + group) >> q.log2TileShare)));
  }
  // Row i of a run.
  FFC_DEVICE void firstOf(u32 row, int i, int code) const {
    const float own = powerOfTwo(int(sharedLoad4(this->exponentAt(i, 0))) - tileExponent(code));
    const u32 factor = packHalf(own, own);
#pragma unroll
    for (int tile = 0; tile < 2; tile++) {
      u32 words[2];
#pragma unroll
      for (int high = 0; high < 2; high++) {
        const int lane = tile * 16 + high * 8 + this->c;
        words[high] = lowHalves(fromLane(factor, lane), fromLane(factor, lane + 4));
      }
      const uint64_t pairs = words[0] | uint64_t(words[1]) << 32;
#pragma unroll
      for (int b = 2 * tile; b < 2 * tile + 2; b++) {
        Operands o;
        this->fetch(row, b, o);
        this->first(row, b, o, pairs);
      }
    }
  }

  // Where the spectrum of the next row lies, of a run's `left` rows.
  FFC_DEVICE void useSpectrum(int left) {
    const bool end = --this->channelLeft == 0;
    if (end) this->channel++, this->channelLeft = this->rowsOfChannel();
    const int64_t step = end && left > 1 ? int64_t(q.rows) * Base::spectrumRowBytes : 0;
    if constexpr (C::spectrumRing) {
      this->spectrumStep = step;
    } else {
#pragma unroll
      for (int h = 0; h < 2; h++) this->spectrumAt[h] = reinterpret_cast<const uint4*>(this->spectrumRow + this->binsAt[h]);
      this->spectrumRow += step;
    }
  }

  // `turn` is the barrier that follows the middles; the other two lie so many bytes behind it.
  static constexpr int firstsDone = 8, lastsDone = 16;
  u32 firstsParity = 0, lastsParity = 0;
  struct Stored {
    int k1, sequence;
    u32 slot;
  };
  FFC_DEVICE void storePrevious(const Stored& row, Cursor& coming, u32& comingSlot) {
    if (row.k1 < 0) return;
    if (bulk && threadIndex() != Base::storer) return;
    splitWait(this->turn + lastsDone, lastsParity);
    lastsParity ^= 1;
    this->store(row.k1, row.sequence, 1, row.slot);
    if (!bulk) this->load(coming, comingSlot);
  }
  FFC_DEVICE void refill(const Stored& row, Cursor& coming, u32& comingSlot) const {
    if (!bulk || row.k1 < 0) return;
    if (threadIndex() == Base::storer) tensorStoresRead();
    this->load(coming, comingSlot);
  }

  FFC_DEVICE void run() {
    splitInit(this->turn + firstsDone);
    splitInit(this->turn + lastsDone);
    blockSync();
    beginPass(q.order);
    Cursor at = this->start(), coming = at;
    u32 slot = this->exchange, comingSlot = slot;
    u32 parity = 0;
    Stored previous{-1, 0, 0};
    for (int i = 0; i < 3; i++) this->load(coming, comingSlot);
    while (at.left > 0) {
      const int k1 = at.k1, count = this->together(at, at.left);
      this->makeTables(loadConstant4(q.numerators + k1));
      this->beginBins(k1, at.sequence);
      if constexpr (C::spectrumRing) {
        copyAsyncWaitAll();  // what the last row of the run before has ordered
        for (int h = 0; h < 2; h++) this->ringFrom[h] = this->spectrumRow + this->binsAt[h];
        for (int h = 0; h < 2; h++) this->fetchWholePiece(h);
      }
      // The exponents of the first two rows, a warp a row; one warp finds out the others, each two rows ahead.
      typename Base::Factors fetched;
      this->fetchTiles(at.sequence, this->uniformWarp, 2, fetched);
      this->storeExponent(0, this->uniformWarp, 2, fetched);
      blockSync();
      int factor = fetchFactor(at.sequence);
      if (bulk) {
        barrierWait(this->barrierOf(slot), parity);
      } else {
        copyAsyncWaitAll();
        blockSync();
      }
      firstOf(slot, 0, factor);
      splitArrive(this->turn + firstsDone);
#pragma unroll 1
      for (int i = 0; i < count; i++) {
        const int sequence = at.sequence + i;
        const u32 after = this->next(slot);
        if (after == this->exchange) parity ^= 1;
        if (i + 1 < count) factor = fetchFactor(sequence + 1);
        this->fetchTiles(sequence + 2, this->uniformWarp, 1, fetched);
        useSpectrum(count - i);
        splitWait(this->turn + firstsDone, firstsParity);
        firstsParity ^= 1;
        storePrevious(previous, coming, comingSlot);
        this->template runMiddle<false>(sequence, 0, slot, [] {}, [] {});
        this->storeExponent(i + 2, this->uniformWarp, 1, fetched);  // all have read that of row i - 2, see firstsDone
        splitArrive(this->turn);
        refill(previous, coming, comingSlot);
        if (i + 1 < count) {
          if (bulk) barrierWait(this->barrierOf(after), parity);
          firstOf(after, i + 1, factor);
          if (!bulk) copyAsyncWaitAll();  // the row after it
          splitArrive(this->turn + firstsDone);
        }
        this->turnMatrix();  // for as long as it is needed: registers are short in the middle
        this->waitTurn();
        this->last(slot);
        if (bulk) fenceTensorCopies();
        splitArrive(this->turn + lastsDone);
        previous = {k1, sequence, slot};
        slot = after;
      }
      this->advance(at, count);
    }
    storePrevious(previous, coming, comingSlot);
    if (bulk && threadIndex() == Base::storer) tensorStoresDone();
  }
};

}  // namespace ffc::mma
